/** Path of one vehicle at the API. */
export const pathOf = (vehicleId: string): string => `/vehicles/${encodeURIComponent(vehicleId)}`;

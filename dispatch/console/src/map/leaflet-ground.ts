/** The ground of the simple map: raster tiles and pictures of a PMTiles file; a vector style needs WebGL2. */
import * as L from 'leaflet';
import { PMTiles, TileType } from 'pmtiles';
import type { BaseMap, MapOptions } from './engine.js';
import { gridOver } from './grid.js';
import { projectionOf } from './crs.js';
import { paletteOf } from './palette.js';

/** Tiles out of a PMTiles file, as pictures. */
class PmtilesLayer extends L.GridLayer {
  constructor(
    private readonly archive: PMTiles,
    private readonly type: string,
    options: L.GridLayerOptions,
  ) {
    super(options);
  }

  override createTile({ z, x, y }: L.Coords, done: L.DoneCallback): HTMLElement {
    const image = document.createElement('img');
    image.alt = '';
    this.archive.getZxy(z, x, y).then(
      (tile) => {
        if (!tile) return done(undefined, image);
        const url = URL.createObjectURL(new Blob([tile.data], { type: this.type }));
        image.onload = () => {
          URL.revokeObjectURL(url);
          done(undefined, image);
        };
        image.src = url;
      },
      (error: Error) => done(error, image),
    );
    return image;
  }
}
const PICTURES: Partial<Record<TileType, string>> = {
  [TileType.Png]: 'image/png',
  [TileType.Jpeg]: 'image/jpeg',
  [TileType.Webp]: 'image/webp',
  [TileType.Avif]: 'image/avif',
};

/** Undefined where there is only the plain map, or where this map cannot draw the ground that is set. */
async function tilesOf(base: BaseMap): Promise<L.GridLayer | undefined> {
  const attribution = base.attribution ?? '';
  if (base.kind === 'raster') return L.tileLayer(base.url!, { attribution });
  if (base.kind !== 'pmtiles') return undefined;
  const archive = new PMTiles(new URL(base.url!, window.location.href).href);
  const { tileType, minZoom, maxZoom } = await archive.getHeader();
  const type = PICTURES[tileType];
  if (type === undefined) return undefined;
  return new PmtilesLayer(archive, type, { attribution, minNativeZoom: minZoom, maxNativeZoom: maxZoom });
}

export async function addTiles(map: L.Map, { base, callbacks }: MapOptions): Promise<void> {
  try {
    const tiles = await tilesOf(base);
    if (!tiles && base.url) callbacks.onGroundProblem?.('style', 'vectors need WebGL2');
    tiles?.on('tileerror', ({ error, coords: { z, x, y } }) =>
      callbacks.onGroundProblem?.('tiles', `${z}/${x}/${y} ${error?.message ?? ''}`),
    );
    tiles?.addTo(map);
  } catch (error) {
    callbacks.onGroundProblem?.('tiles', (error as Error).message);
  }
}

/** Grid and streets, below the tiles: they show where a tile is missing. */
export function drawPlainGround(map: L.Map, into: L.LayerGroup, options: MapOptions): void {
  const p = paletteOf(options.dark);
  const projection = projectionOf(options.base.crs);
  into.clearLayers();
  const b = map.getBounds();
  const [west, south] = projection.fromMap([b.getWest(), b.getSouth()]);
  const [east, north] = projection.fromMap([b.getEast(), b.getNorth()]);
  const grid = gridOver({ west, south, east, north }, projection);
  // Leaflet's types leave `pane` out of what is handed on to each line.
  const inGround = { interactive: false, pane: 'ground' };
  L.geoJSON(grid, { style: { color: p.grid, weight: 1 }, ...inGround }).addTo(into);
  if (!options.streets) return;
  const style = (feature?: GeoJSON.Feature): L.PathOptions => {
    const kind = String(feature?.properties?.kind ?? '');
    if (kind === 'water' || kind === 'river') return { color: p.water, fillColor: p.water, fillOpacity: 1, weight: 4 };
    if (kind === 'park') return { stroke: false, fillColor: p.park, fillOpacity: 1 };
    const isMajor = /main|motorway|major|primary/.test(kind);
    return { color: isMajor ? p.roadMajor : p.road, weight: isMajor ? 4 : 2 };
  };
  const drawable = (feature: GeoJSON.Feature): boolean => feature.geometry.type !== 'Point';
  L.geoJSON(options.streets, { style, filter: drawable, ...inGround }).addTo(into);
}

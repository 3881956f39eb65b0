import { describe, expect, it } from 'vitest';
import { encodeParameter, fromHex, parameterOf, parameters, readParameter, toHex } from '../../protocol/index.js';

describe('terminal parameters', () => {
  it('have ids and names of their own', () => {
    expect(new Set(parameters.map(({ id }) => id)).size).toBe(parameters.length);
    expect(new Set(parameters.map(({ name }) => name)).size).toBe(parameters.length);
  });

  it.each([
    ['heartbeatInterval', 60, '0000003c'],
    ['mainServer', '117.80.1.2', '3131372e38302e312e32'],
    ['plate', '浙B00T17', 'd5e3423030543137'],
    ['province', 33, '0021'],
    ['plateColour', 2, '02'],
    ['forbiddenPeriod', '16320a1e', '16320a1e'],
  ] as const)('%s is written and read', (name, value, hex) => {
    const item = encodeParameter(name, value, 2013);
    expect(toHex(item.value)).toBe(hex);
    expect(readParameter(item.id, item.value)).toMatchObject({ name, value });
  });

  it('2011 has wider ids of province and city', () => {
    expect(toHex(encodeParameter('province', 33, 2011).value)).toBe('00000021');
  });

  it('numbers are read by the length that came', () => {
    expect(readParameter(0x0001, fromHex('3c')).value).toBe(60);
    expect(readParameter(0x0031, fromHex('00000064')).value).toBe(100);
    expect(readParameter(0x0001, fromHex('010203')).value).toBe('010203');
  });

  it('unknown ids stay hex', () => {
    expect(readParameter(0xf364, fromHex('381e'))).toEqual({ id: 0xf364, value: '381e' });
    expect(toHex(encodeParameter(0xf364, '381e', 2013).value)).toBe('381e');
  });

  it('per-id CAN sampling is declared for its whole range', () => {
    expect(parameterOf(0x0110)?.type).toBe('bytes');
    expect(parameterOf(0x01ff)?.type).toBe('bytes');
    expect(parameterOf(0x0200)).toBeUndefined();
  });

  it('what cuts the terminal off is marked', () => {
    expect(parameters.filter(({ critical }) => critical).map(({ id }) => id)).toEqual([
      0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x23, 0x24, 0x25, 0x26,
    ]);
  });

  it.each([
    ['heartbeatInterval', -1, /heartbeatInterval: expected a whole number of 4 bytes/],
    ['plateColour', 256, /plateColour: expected a whole number of 1 bytes/],
    ['mainServer', 5, /mainServer: expected a text/],
    ['forbiddenPeriod', 'x', /forbiddenPeriod: expected bytes as hex/],
    ['nothing', 1, /nothing: no parameter has this name/],
  ])('%s = %s is refused', (name, value, message) => {
    expect(() => encodeParameter(name, value, 2013)).toThrow(message);
  });
});

/**
 * How the field names of the frames' origins map to ours. A function gives the value as the origin would state it; a
 * field that has no function is counted as uncompared.
 */
import type { DescribedMessage } from '../../protocol/index.js';

type Body = Record<string, unknown>;
type Getter = (body: Body, message: DescribedMessage) => unknown;

const at =
  (name: string): Getter =>
  (body) =>
    body[name];
const bytes =
  (name: string): Getter =>
  (body) =>
    `hex:${String(body[name])}`;
const count =
  (name: string): Getter =>
  (body) =>
    (body[name] as unknown[] | undefined)?.length ?? 0;

const ackUp = {
  serialNumber: at('replySerial'),
  id: at('replyId'),
  replyMsgId: at('replyId'),
  replyMsgNum: at('replySerial'),
};

const registration = {
  provinceID: at('province'),
  areaID: at('province'),
  cityID: at('city'),
  cityOrCountyId: at('city'),
  manufacturerID: at('maker'),
  makerId: at('maker'),
  deviceMode: at('model'),
  terminalModel: at('model'),
  deviceID: at('terminalId'),
  terminalID: at('terminalId'),
  terminalId: at('terminalId'),
  plateColor: at('plateColour'),
  plateNumber: at('plate'),
  plateNo: at('plate'),
  licensePlateNumber: at('plate'),
};

const mediaHead = {
  multimediaID: at('mediaId'),
  multimediaType: at('type'),
  multimediaFormatEncode: at('format'),
  eventItemEncode: at('event'),
  channelID: at('channel'),
};

/** `20YY-MM-DD hh:mm:ss` of twelve digits. */
function spelled(digits: unknown): string {
  const [year, month, day, hour, minute, second] = String(digits).match(/../g)!;
  return `20${year}-${month}-${day} ${hour}:${minute}:${second}`;
}

/** Go's `terminalParamDetails`: `{t0x001…: {id, len, value}}`, zero for what was not sent. */
const parameterDetails: Getter = (_body, message) =>
  Object.fromEntries((message.parameters ?? []).map(({ id, value }) => [id, value]));

const safetyHead =
  (item: string): Getter =>
  (_body, message) => {
    const reading = message.locations?.[0]?.readings?.[item] as Body | undefined;
    return reading === undefined
      ? undefined
      : { alarmID: reading.alarmId, flagStatus: reading.flag, alarmEventType: reading.type, alarmLevel: reading.level };
  };

function parameterAt(index: number): Getter {
  return (body) => (body.parameters as string[])[index];
}

/** A whole additional item, id and length included. */
function rawItem(id: string): Getter {
  return (_body, message) => {
    const value = String(message.locations?.[0]?.extras[id]);
    return `hex:${id}${(value.length / 2).toString(16).padStart(2, '0')}${value}`;
  };
}

export const fieldMap: Record<string, Record<string, Getter>> = {
  terminalAck: {
    ...ackUp,
    result: at('result'),
    terminalResult: at('result'),
    test: (_b, m) => parseInt(m.trailing!, 16),
  },
  register: registration,
  authenticate: {
    authCode: at('token'),
    code: at('token'),
    authCodeLen: (body, message) => (message.version === '2019' ? String(body.token).length : 0),
    terminalIMEI: (body) => body.imei ?? '',
    softwareVersion: (body) => body.software ?? '',
  },
  parameters: {
    respondSerialNumber: at('replySerial'),
    msgNum: at('replySerial'),
    respondParamCount: (_b, message) => parseInt(message.bodyHex.slice(4, 6), 16),
    answerParamsCount: (_b, message) => parseInt(message.bodyHex.slice(4, 6), 16),
    terminalParamDetails: parameterDetails,
    paramList: (_b, message) => message.parameters,
  },
  setParameters: {
    paramTotal: count('parameters'),
    terminalParamDetails: parameterDetails,
    paramList: (_b, message) => message.parameters,
    'paramList[0].ParamLength': (body) => (body.parameters as { value: string }[])[0]!.value.length / 2,
  },
  attributes: {
    terminalType: at('terminalType'),
    makerId: at('maker'),
    terminalModel: at('model'),
    terminalId: at('terminalId'),
    terminal_SIM_ICCID: at('iccid'),
    terminal_Hardware_Version_Num: at('hardware'),
    terminal_Firmware_Version_Num: at('firmware'),
    gnssModule: at('gnss'),
    communicationModule: at('radio'),
  },
  location: {
    'unknownLocationAttachData[0xca]': rawItem('ca'),
    'unknownLocationAttachData[0xcb]': rawItem('cb'),
    'unknownLocationAttachData[0xcd]': rawItem('cd'),
    extra_64: safetyHead('driverAssistance'),
    extra_65: safetyHead('driverMonitoring'),
  },
  locationAnswer: { respondSerialNumber: at('replySerial') },
  controlAnswer: { msgNum: at('replySerial') },
  questionAnswer: { serialNumber: at('replySerial'), answerID: at('answerId') },
  locationBatch: { num: at('count'), count: at('count'), locationType: at('type') },
  mediaEvent: mediaHead,
  mediaData: { ...mediaHead, multimediaPackage: bytes('data') },
  shootAnswer: {
    respondSerialNumber: at('replySerial'),
    result: at('result'),
    multimediaIDNumber: count('mediaIds'),
    multimediaIDList: at('mediaIds'),
  },
  platformAck: {
    respondSerialNumber: at('replySerial'),
    msgNum: at('replySerial'),
    respondID: at('replyId'),
    ackMsgId: at('replyId'),
    result: at('result'),
    jT808PlatformResult: at('result'),
  },
  resendUplink: {
    originalSerialNumber: at('firstSerial'),
    againPackageCount: count('parts'),
    againPackageList: at('parts'),
  },
  timeAnswer: { serverTime: at('timeUtc'), time: (body) => spelled(body.timeUtc) },
  registerAnswer: {
    answerSerialNumber: at('replySerial'),
    respondSerialNumber: at('replySerial'),
    ackMsgNum: at('replySerial'),
    result: at('result'),
    jT808TerminalRegisterResult: at('result'),
    authCode: at('token'),
    code: (body) => body.token ?? null,
  },
  control: {
    command: at('command'),
    commandWord: at('command'),
    // The ports, the control byte and the limit are binary in this origin's frames: not text, not compared.
    'commandParameters.DialPointName': parameterAt(1),
    'commandParameters.DialUserName': parameterAt(2),
    'commandParameters.DialPwd': parameterAt(3),
    'commandParameters.ServerUrl': parameterAt(4),
    'commandParameters.MakerId': parameterAt(7),
    'commandParameters.MonitorPlatformAuthCode': parameterAt(8),
    'commandParameters.HardwareVersion': parameterAt(9),
    'commandParameters.FirmwareVersion': parameterAt(10),
    'commandParameters.Url': parameterAt(11),
  },
  track: { timeInterval: at('intervalS'), trackValidity: at('validityS') },
  text: {
    text: at('text'),
    textInfo: at('text'),
    textFlag: at('flags'),
    textType: at('type'),
  },
  question: {
    questionContent: at('question'),
    questionContentLen: (body) => String(body.question).length,
    answerList: (body) =>
      (body.answers as { id: number; text: string }[]).map(({ id, text }) => ({
        answerID: id,
        answerContentLen: text.length,
        answerContent: text,
      })),
  },
  mediaAnswer: {
    multimediaID: at('mediaId'),
    multimediaId: at('mediaId'),
    againPackageCount: count('missing'),
    retransmitPackageCount: count('missing'),
    againPackageList: at('missing'),
    retransmitPackageIds: (body) => words(body.missing as number[] | undefined),
  },
  shoot: {
    channelID: at('channel'),
    shootCommand: at('command'),
    photoIntervalOrVideoTime: at('intervalS'),
    saveFlag: at('save'),
    resolution: at('resolution'),
    videoQuality: at('quality'),
    intensity: at('brightness'),
    contrast: at('contrast'),
    saturation: at('saturation'),
    chroma: at('chroma'),
  },
  passthroughUp: {
    passthroughType: at('type'),
    'jT808_0x0900_BodyBase.PassthroughContent': (body) => ascii(body.content),
    jT808_0x0900_BodyBase: (body) => ({ passthroughContent: ascii(body.content) }),
  },
};

function ascii(hex: unknown): string {
  return Buffer.from(String(hex), 'hex').toString('latin1');
}

/** Part numbers as the bytes that they were. */
function words(numbers: number[] | undefined): string {
  return `hex:${(numbers ?? []).map((one) => one.toString(16).padStart(4, '0')).join('')}`;
}

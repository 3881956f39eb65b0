/** What an alert says, in the language of the centre. */

type Words = Record<string, string | number>;
type Phrase = (words: Words) => string;

const ZH: Record<string, Phrase> = {
  centreNotAccepted: (w) => `工单 ${w['number']} 下发后报修中心未接单：请电话联系`,
  crewNotAccepted: (w) => `工单 ${w['number']}：${w['plate']} 未接单，请电话联系班组（主管：${w['manager']}）`,
  crewStillNotAccepted: (w) => `工单 ${w['number']}：${w['plate']} 仍未接单（第二主管：${w['manager']}）`,
  nextCrew: (w) => `工单 ${w['number']}：${w['plate']} 一直未接单，建议改派其他班组`,
  segmentAtRisk: (w) => `工单 ${w['number']}：${w['segment']} 段已用 80% 时限（${w['minutes']} 分钟）`,
  segmentBreached: (w) => `工单 ${w['number']}：${w['segment']} 段超过时限（${w['minutes']} 分钟）`,
  unreachable: (w) => `工单 ${w['number']}：${w['plate']} 失去联系，工单未送达`,
  promiseAtRisk: (w) => `工单 ${w['number']}：预计到达晚于承诺 ${w['minutes']} 分钟`,
  urged: (w) => `工单 ${w['number']}：用户催办（第 ${w['count']} 次）`,
  crewsMissing: (w) => `近 ${w['days']} 天有 ${w['count']} 张工单无待命班组可派，运力不足：${w['when']}`,
};

const EN: Record<string, Phrase> = {
  centreNotAccepted: (w) => `Order ${w['number']} was issued and not accepted: phone the repair centre`,
  crewNotAccepted: (w) =>
    `Order ${w['number']}: ${w['plate']} has not accepted, phone the crew (manager: ${w['manager']})`,
  crewStillNotAccepted: (w) =>
    `Order ${w['number']}: ${w['plate']} still has not accepted (second manager: ${w['manager']})`,
  nextCrew: (w) => `Order ${w['number']}: ${w['plate']} does not accept; another crew is proposed`,
  segmentAtRisk: (w) => `Order ${w['number']}: ${w['segment']} has used 80 % of its ${w['minutes']} min`,
  segmentBreached: (w) => `Order ${w['number']}: ${w['segment']} is past its ${w['minutes']} min`,
  unreachable: (w) => `Order ${w['number']}: ${w['plate']} cannot be reached and does not have the order`,
  promiseAtRisk: (w) => `Order ${w['number']}: arrival is expected ${w['minutes']} min after the promise`,
  urged: (w) => `Order ${w['number']}: the customer called again (urge ${w['count']})`,
  crewsMissing: (w) =>
    `Crews are missing: ${w['count']} orders in ${w['days']} days found nobody of their trade on standby: ${w['when']}`,
};

const say =
  (phrases: Record<string, Phrase>) =>
  (kind: string, words: Words): string =>
    phrases[kind]?.(words) ?? kind;

export const SAY = { 'zh-CN': say(ZH), en: say(EN) };

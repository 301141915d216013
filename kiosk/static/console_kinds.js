/* The kinds of call as the hall has them now: names, how urgent, how they may end. Edited while this page is open, too. */
import { facts, has, inLang, t } from "./console_view.js";

let kinds = new Map(facts.kinds.map((one) => [one.kind, one]));

export const takeKinds = (told) => { kinds = new Map(told.map((one) => [one.kind, one])); };
export const allKinds = () => [...kinds.values()];
export const kindOf = (word) => kinds.get(word);
export const kindName = (word) => (kinds.has(word) ? inLang(kinds.get(word), "name") : word);
/** 0 is the most urgent; a kind that nobody knows is as urgent. */
export const priorityOf = (word) => kinds.get(word)?.priority ?? 0;
const words = (outcome) => ({ outcome: outcome[0], name_zh: outcome[1], name_en: outcome[2] });

/** How this call may end: [word, name] of its kind. */
export const outcomesOf = (call) => (kinds.get(call.kind) ?? kinds.get("emergency"))?.outcomes.map((one) => [one[0], inLang(words(one), "name")]) ?? [];

/** How a call ended, in words; a kind may have lost the outcome since. */
export function outcomeName(call) {
  const known = outcomesOf(call).find(([word]) => word === call.outcome);
  return known?.[1] ?? (has(`outcome_${call.outcome}`) ? t(`outcome_${call.outcome}`) : call.outcome ?? "");
}
export const whoName = (role) => (has(`who_${role}`) ? t(`who_${role}`) : role);

/* ---------------------------------------------------------------- how loud */

/* From this priority on a call is quiet: meals and company may wait while somebody is being helped. */
const QUIET_FROM = 4;
/** Whether consoles ring for it now: the ladder's step says so. Without a word of the ladder (memory only), it rings. */
export const rings = (call) => call.state === "HEARD" && (call.written === false || !call.acts || call.acts.split(" ").includes("console"));
/** A word of console_sound.js. */
export const loudness = (call) => (priorityOf(call.kind) === 0 ? "emergency" : priorityOf(call.kind) < QUIET_FROM ? "other" : "quiet");
/** What these calls together sound like; null is silence. */
export function soundOf(calls) {
  const loud = calls.filter(rings).sort((a, b) => priorityOf(a.kind) - priorityOf(b.kind))[0];
  return loud ? loudness(loud) : null;
}

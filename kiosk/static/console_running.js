/* How the hall runs: asked every few seconds while the page is seen, drawn by the same patch as everything else, so that
 * nothing flickers and what has the focus keeps it. Plain sentences first, then a chart, then the figures. */
import { chip, clock, draw, empty, h, has, heading, nowMs, setClock, since, spell, t } from "./console_view.js";

const ASK_EVERY_MS = 3000;
/* A call told later than this is late: the gateway's own bar (gateway/lateness.py), what a person begins to feel. */
const LATE_MS = 100;
const HOUR_MS = 3600000, MINUTE_MS = 60000;
const RUBBISH = ["garbage", "oversized", "unknown_topic", "set_aside", "codec_failed", "unread", "over_budget", "lost"];

let told = null; // the last answer of the host
let toldAt = 0; // when it came, by the host's clock
let failed = false; // the host did not answer when it was asked last

/* ---------------------------------------------------------------- asking */

export function watchRunning(store) {
  if (!document.getElementById("running")) return;
  const ask = async () => {
    if (!document.hidden && !store.locked && !store.ended) {
      try {
        const answer = await fetch("/console/api/running", { cache: "no-store", signal: AbortSignal.timeout(4000) });
        if (!answer.ok) throw new Error(answer.status);
        told = await answer.json();
        setClock(told.now_ms);
        [toldAt, failed] = [told.now_ms, false];
      } catch { failed = true; }
      drawRunning(store);
    }
    setTimeout(ask, ASK_EVERY_MS);
  };
  ask();
}

/* ---------------------------------------------------------------- words for figures */

/** 0.31, 1.2, 18, 131 ms; from ten seconds on seconds: as many digits as anybody reads. */
function ms(value) {
  if (value == null) return t("unknown");
  if (value >= 10000) return t("seconds", { n: Math.round(value / 1000) });
  return t("milliseconds", { n: value >= 10 ? Math.round(value) : value >= 1 ? value.toFixed(1) : value.toFixed(2) });
}
const because = (phase) => (has(`because_${phase}`) ? t(`because_${phase}`) : phase);
const laneName = (lane) => (has(`lane_${lane}`) ? t(`lane_${lane}`) : lane);
const number = (n) => n.toLocaleString("en-GB");
const times = (n) => t(n === 1 ? "times_one" : "times", { n: number(n) });

/** "press from btn-0302", in the reader's words; a device by its name where it is known. */
function whatText(what, store) {
  const [, kind, who] = /^(\S+) (?:from|of pin) (.+)$/.exec(what) ?? [null, null, what];
  const name = store.devices.get(who)?.name || (has(`who_${who}`) ? t(`who_${who}`) : who);
  if (!kind) return name;
  const word = [`what_${kind}`, `did_${kind}`].find(has);
  return t("what_from", { what: word ? t(word) : kind, who: name });
}

/* ---------------------------------------------------------------- the last hour */

const lastHour = (figures) => figures.minutes.filter((one) => one.minute_ms > (figures.now_ms ?? nowMs()) - HOUR_MS - MINUTE_MS);

/** The slowest of the last hour in these lanes, and why it was slow where the gateway knows. */
function worstOf(figures, lanes) {
  let max = null;
  for (const minute of lastHour(figures)) for (const lane of lanes) if ((minute.lanes[lane]?.max_ms ?? -1) > (max ?? -1)) max = minute.lanes[lane].max_ms;
  // Told to 0.1 ms in the one place and to 0.001 ms in the other: they are the same fact when they nearly agree.
  const late = max == null ? null : figures.late.find((one) => lanes.includes(one.lane) && Math.abs(one.told_ms - max) < 1);
  return { max, why: late?.waited_for ?? "" };
}

/* ---------------------------------------------------------------- the verdict */

function verdict(figures) {
  if (!figures) return [told ? "wrong" : "note", told ? t("verdict_nothing") : t("loading")];
  if (failed) return ["wrong", since(toldAt, "verdict_kiosk", "ago")];
  if (!told.heard.answers) return ["wrong", since(told.heard.heard_ms, "verdict_away", "ago")];
  if (figures.waiting.disk > 0) return ["wrong", t("verdict_disk", { n: figures.waiting.disk })];
  if (figures.lines.calls?.up === false) return ["wrong", t("verdict_line")];
  if (figures.clock.known === false) return ["note", t("verdict_clock")];
  const { max, why } = worstOf(figures, ["call", "pin"]);
  if (max == null) return ["fine", t("verdict_idle")];
  if (max > LATE_MS) return ["note", why ? t("verdict_late", { max: ms(max), why: because(why) }) : t("verdict_late_bare", { max: ms(max) })];
  return ["fine", t("verdict_good")];
}

/* ---------------------------------------------------------------- how fast */

function speedLine({ lane, stages }, figures) {
  const spread = stages.told ?? stages.written ?? stages.decided;
  if (!spread || !spread.count) return false;
  const { max, why } = worstOf(figures, [lane]);
  const said = [t("half_within", { p50: ms(spread.p50_ms) }), t("most_within", { p99: ms(spread.p99_ms) }), times(spread.count)];
  return h("li", { class: "thing ready", "data-key": `speed-${lane}` },
    h("p", {}, h("strong", {}, has(`way_${lane}`) ? t(`way_${lane}`) : lane)),
    h("p", { class: "figures" }, said.slice(0, 2).map((text, n) => [n ? t("comma") : "", text]), t("stop"), " ", h("span", { class: "small" }, said[2])),
    h("p", { class: "small" }, max == null ? t("hour_none") : why ? t("hour_worst_why", { max: ms(max), why: because(why) }) : t("hour_worst", { max: ms(max) })));
}

/* ---------------------------------------------------------------- the chart */

const WIDE = 440, HIGH = 150, LEFT = 52, HEAD = 14, FOOT = 22;
const MAY_WAIT = ["telemetry"]; // a parking message may wait for its commit: nobody stands there and waits for it
const svg = (tag, attributes, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
};

/** One lane's last hour: a bar up to what half of the facts took, a thin line up to the slowest, a tick at 99 %. */
function chart(lane, minutes, endMs) {
  const shown = minutes.filter((one) => one.lanes[lane]?.count);
  if (!shown.length) return false;
  // A decade is a decade: 1 and 1000 ms can both be read (log scale), and 100 ms, the bar, is always on the picture.
  const top = Math.max(1000, 10 ** Math.ceil(Math.log10(Math.max(...shown.map((one) => one.lanes[lane].max_ms ?? 0), 1))));
  const floor = 0.1, y = (value) => HEAD + (HIGH - HEAD - FOOT) * (1 - Math.log10(Math.max(value, floor) / floor) / Math.log10(top / floor));
  const first = endMs - 59 * MINUTE_MS, step = (WIDE - LEFT) / 60, x = (at) => LEFT + ((at - first) / MINUTE_MS) * step;
  const grid = [], urgent = !MAY_WAIT.includes(lane);
  for (let line = 1; line <= top; line *= 10) {
    grid.push(svg("line", { class: line === LATE_MS && urgent ? "grid bar-line" : "grid", x1: LEFT, x2: WIDE, y1: y(line), y2: y(line) }),
      svg("text", { class: "axis", x: LEFT - 6, y: y(line) + 5, "text-anchor": "end" }, line >= 1000 ? `${line / 1000} s` : `${line} ms`));
  }
  for (let ago = 0; ago < 60; ago += 15) {
    const at = endMs - ago * MINUTE_MS;
    grid.push(svg("text", { class: "axis", x: x(at) + step, y: HIGH - 4, "text-anchor": "end" }, clock(at)));
  }
  const bars = shown.filter((one) => one.minute_ms >= first).map((one) => {
    const spread = one.lanes[lane], at = x(one.minute_ms), middle = at + step / 2, base = HIGH - FOOT;
    const [half, most, worst] = [spread.p50_ms, spread.p99_ms, spread.max_ms].map((value) => y(value ?? floor));
    return svg("g", { "data-key": `minute-${one.minute_ms}`, class: urgent && (spread.max_ms ?? 0) > LATE_MS ? "late-minute" : "minute" },
      svg("rect", { x: at + 1, width: step - 2, y: half, height: Math.max(base - half, 1) }),
      svg("line", { x1: middle, x2: middle, y1: half, y2: worst }),
      svg("line", { x1: at + 1, x2: at + step - 1, y1: most, y2: most }),
      svg("title", {}, t("chart_minute", { time: clock(one.minute_ms), n: number(spread.count), p50: ms(spread.p50_ms), p99: ms(spread.p99_ms), max: ms(spread.max_ms) })));
  });
  return h("figure", { "data-key": `chart-${lane}` }, h("figcaption", {}, laneName(lane)),
    svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": t("chart_of", { lane: laneName(lane) }) }, ...grid, ...bars));
}

function charts(figures) {
  const minutes = lastHour(figures), lanes = figures.lateness.map((one) => one.lane);
  const now = figures.now_ms ?? nowMs(), endMs = now - (now % MINUTE_MS);
  const drawn = lanes.map((lane) => chart(lane, minutes, endMs)).filter(Boolean);
  if (!drawn.length) return [empty(t("chart_none"))];
  return [...drawn, h("p", { class: "small" }, t("chart_key")),
    h("details", { "data-key": "numbers" }, h("summary", {}, t("chart_numbers")),
      table([t("minute"), t("late_what"), t("count"), t("half"), "99%", t("slowest")],
        [...minutes].reverse().flatMap((one) => lanes.filter((lane) => one.lanes[lane]?.count).map((lane) => {
          const spread = one.lanes[lane];
          return [clock(one.minute_ms), laneName(lane), number(spread.count), ms(spread.p50_ms), ms(spread.p99_ms), ms(spread.max_ms)];
        }))))];
}

/** Short cells (a time, a duration) are never broken; long ones are. */
const table = (head, rows) => h("table", { class: "lines" },
  h("thead", {}, h("tr", {}, head.map((text) => h("th", { scope: "col", class: "nowrap" }, text)))),
  h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell) => h("td", { class: cell.length < 12 ? "nowrap" : "" }, cell))))));

/* ---------------------------------------------------------------- what was late, what is too loud, what is rubbish */

function lateTable(figures, store) {
  if (!figures.late.length) return empty(t("late_none"));
  return table([t("when"), t("late_what"), t("late_took"), t("late_why")], [...figures.late].reverse().map((one) => [
    dayClock(one.at_ms), whatText(one.what, store), ms(one.told_ms),
    one.waited_ms == null ? because(one.waited_for) : t("late_why_ms", { why: because(one.waited_for), ms: ms(one.waited_ms) })]));
}

function dayClock(at) {
  const today = new Date(nowMs()).toDateString() === new Date(at).toDateString();
  return today ? clock(at) : `${new Date(at).getMonth() + 1}-${new Date(at).getDate()} ${clock(at)}`;
}

function loudList(figures, store) {
  if (!figures.over_budget.length) return empty(t("loud_none"));
  return [h("p", { class: "small" }, t("loud_more")), h("ul", { class: "things" }, figures.over_budget.map((one) => {
    const device = store.devices.get(one.device_id), name = device?.name || one.device_id;
    return h("li", { class: "thing degraded", "data-key": `loud-${one.device_id}` },
      h("p", {}, h("strong", {}, device ? h("a", { href: `/console/devices?device=${encodeURIComponent(one.device_id)}` }, name) : name),
        name !== one.device_id && [" ", h("span", { class: "small" }, one.device_id)]),
      h("p", { class: "small" }, t("loud_excess", { n: number(one.excess) }), one.since_ms ? ` · ${t("loud_since", { time: dayClock(one.since_ms) })}` : ""));
  }))];
}

const countName = (name) => (has(`count_${name}`) ? t(`count_${name}`) : name);
function countList(figures, names) {
  return h("dl", { class: "counts", "data-key": `counts-${names[0]}` }, names.flatMap((name) => [
    h("dt", { "data-key": `name-${name}` }, countName(name)), h("dd", { "data-key": `count-${name}` }, number(figures.counts[name]))]));
}
function rubbishList(figures) {
  const counted = Object.keys(figures.counts);
  const rubbish = RUBBISH.filter((name) => figures.counts[name] > 0);
  const rest = counted.filter((name) => !RUBBISH.includes(name)).sort();
  return [rubbish.length ? [countList(figures, rubbish), h("p", { class: "small", "data-key": "where" }, t("rubbish_where"))] : h("p", { class: "empty", "data-key": "none" }, t("rubbish_none")),
    rest.length > 0 && h("details", { "data-key": "counts" }, h("summary", {}, t("counts_all")), countList(figures, rest))];
}

/* ---------------------------------------------------------------- the machine */

function machineList(figures, screens) {
  const { clock: wall, lines, timers, up_s: up, cpu_s: cpu, rss_kb: rss, waiting, commits, away } = figures;
  const rows = [];
  const row = (name, ...values) => rows.push(h("dt", { "data-key": `name-${name}` }, t(name)), h("dd", { "data-key": `value-${name}` }, values.flat(3).filter((one) => one != null && one !== "")));
  const joined = (texts) => texts.filter(Boolean).join(" · ") || t("unknown");
  row("machine_gateway", joined([up != null && t("up_for", { time: spell(up * 1000) }), cpu != null && up > 0 && t("cpu", { pct: ((100 * cpu) / up).toFixed(1) }), rss != null && t("memory", { mb: Math.round(rss / 1024) })]));
  row("clock", wall.known == null ? t("unknown") : chip(t(wall.known ? "clock_yes" : "clock_no"), wall.known ? "good" : "warn"), has(`clock_${wall.why}`) ? ` ${t(`clock_${wall.why}`)}` : ` ${wall.why}`);
  row("broker_line", Object.entries(lines).map(([name, one]) => [has(`line_${name}`) ? t(`line_${name}`) : name, " ",
    one.up == null ? t("unknown") : chip(t(one.up ? "line_up" : "line_down"), one.up ? "good" : "warn"), one.reconnects ? ` ${t("line_again", { n: one.reconnects })} ` : " "]), Object.keys(lines).length ? "" : t("unknown"));
  row("waiting_where", joined(Object.entries(waiting).map(([name, n]) => `${has(`waiting_${name}`) ? t(`waiting_${name}`) : name} ${number(n)}`)));
  row("timers", timers.waiting == null ? t("unknown") : joined([number(timers.waiting), timers.next_in_ms != null && t("timers_next", { time: spell(timers.next_in_ms) })]));
  for (const [name, spread] of [["commits", commits], ["away", away]]) if (spread?.count) row(name, joined([t("half_within", { p50: ms(spread.p50_ms) }), t("most_within", { p99: ms(spread.p99_ms) }), `${t("slowest")} ${ms(spread.max_ms)}`]));
  row("live_lines", t("live_lines_more", screens));
  return h("dl", { class: "facts" }, rows);
}

function phaseBars(figures) {
  const phases = Object.entries(figures.phases).sort(([, a], [, b]) => b.total_ms - a.total_ms);
  const all = phases.reduce((sum, [, one]) => sum + one.total_ms, 0);
  if (!all) return empty(t("unknown"));
  return h("dl", { class: "shares" }, phases.map(([name, one]) => [
    h("dt", { "data-key": `name-${name}` }, has(`phase_${name}`) ? t(`phase_${name}`) : name),
    h("dd", { "data-key": `share-${name}` }, svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("rect", { x: 0, y: 0, width: (100 * one.total_ms) / all, height: 10 })),
      h("span", {}, `${((100 * one.total_ms) / all).toFixed(0)}%`))]));
}

/* ---------------------------------------------------------------- all of it */

export function drawRunning(store) {
  if (!document.getElementById("running") || store.locked || store.ended) return;
  const figures = told?.heard.statistics ?? null;
  const [kind, text] = verdict(figures);
  const old = failed || (told && !told.heard.answers);
  const asOf = figures && since(failed ? toldAt : told.heard.heard_ms, "as_of", "ago");
  const card = (name, ...children) => h("div", { class: "card", "data-key": `card-${name}` }, h("h3", {}, t(name)), children.flat(3));
  const speed = figures ? figures.lateness.map((one) => speedLine(one, figures)).filter(Boolean) : [];
  document.getElementById("running").classList.toggle("old", Boolean(figures && old));
  draw("running", heading("running", t("running"), h("span", { class: "small as-of" }, asOf)),
    h("p", { class: `verdict ${kind}`, role: "status", "data-key": "verdict" }, text),
    figures && h("div", { class: "cards", "data-key": "cards" },
      h("div", { "data-key": "left" },
        card("speed", speed.length ? h("ul", { class: "things" }, speed) : empty(t("speed_none"))),
        card("late", lateTable(figures, store)),
        card("rubbish", rubbishList(figures)),
        card("loop_time", phaseBars(figures))),
      h("div", { "data-key": "right" },
        card("chart", charts(figures)),
        card("loud", loudList(figures, store)),
        card("machine", machineList(figures, told.screens)))));
}

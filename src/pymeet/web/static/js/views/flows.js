// For the curious: what goes to the server and what comes from it, stream by stream, in plain words.

/** @import { Flow, Flows } from '../models/flows.js' */
/** @import { Figures } from '../types.js' */
/** @import { Room } from '../models/room.js' */
import { numberOf, t, unitOf } from '../i18n.js';
import { Panel } from './panel.js';
import { QualityNote } from './quality.js';
import { html } from './ui.js';

/** @param {number} bps */
const rateOf = (bps) => (bps >= 999_500 ? unitOf(bps / 1e6, 'megabit-per-second', 1) : unitOf(bps / 1000, 'kilobit-per-second', 0));

/** @param {number} share */
const lossOf = (share) => t('flows.lost', { share: numberOf(Math.round(share * 1000) / 10) });

/** @param {Flow} flow @param {ReadonlySet<string>} unsent tracks that the server does not send now */
function wordsOf(flow, unsent) {
  if (!flow.active && unsent.has(flow.track)) return t('flows.notReceivedNow');
  if (!flow.active) return t(flow.participant ? 'flows.notReceived' : 'flows.notSent');
  const picture = flow.height > 0 && [
    t('flows.size', { width: flow.width, height: flow.height }), t('flows.pictures', { count: numberOf(Math.round(flow.rate)) }),
  ];
  return [...(picture || []), rateOf(flow.bps), flow.codec, flow.lost !== null && lossOf(flow.lost)].filter(Boolean).join(' · ');
}

/** @param {Flow} flow */
function titleOf({ source, layer }) {
  const what = t(`flows.${source}`);
  return layer === 'l' || layer === 'm' || layer === 'h' ? `${what}, ${t(`flows.layer.${layer}`)}` : what;
}

/** @param {{ flows: Flow[], unsent?: ReadonlySet<string> }} props */
function List({ flows, unsent = new Set() }) {
  return html`
    <ul class="flow-list">
      ${flows.map((flow) => html`<li key=${flow.key} class=${flow.active ? '' : 'idle'}><span class="flow-title">${titleOf(flow)}</span><span class="quiet-text">${wordsOf(flow, unsent)}</span></li>`)}
    </ul>`;
}

/** @param {{ flows: Flows }} props */
function Summary({ flows }) {
  const facts = [
    [t('flows.roundTrip'), flows.roundTripMs !== null && unitOf(flows.roundTripMs, 'millisecond', 0)],
    [t('flows.sending'), rateOf(flows.sentBps)],
    [t('flows.sendable'), flows.sendableBps !== null && rateOf(flows.sendableBps)],
    [t('flows.receiving'), rateOf(flows.receivedBps)],
    [t('flows.way'), flows.way && t(flows.way === 'tcp' ? 'flows.way.tcp' : 'flows.way.udp')],
  ];
  return html`<${Facts} facts=${facts} />`;
}

/** @param {{ facts: (string | false)[][] }} props those without a value are left out */
function Facts({ facts }) {
  return html`<dl class="flow-facts">${facts.map(([name, value]) => value && html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** What the server measured of oneself. @param {{ figures: Figures }} props */
function Server({ figures }) {
  const { round_trip_ms, sent_loss, received_loss, queue_ms, target_bps, demand_bps } = figures;
  const share = (/** @type {number | null} */ value) => value !== null && t('flows.share', { share: numberOf(Math.round(value * 1000) / 10) });
  return html`
    <section>
      <h3>${t('flows.server')}</h3>
      <${Facts} facts=${[
        [t('flows.reports'), round_trip_ms !== null && unitOf(round_trip_ms, 'millisecond', 0)],
        [t('flows.sentLoss'), share(sent_loss)],
        [t('flows.receivedLoss'), share(received_loss)],
        [t('flows.queue'), queue_ms !== null && unitOf(queue_ms, 'millisecond', 0)],
        [t('flows.target'), target_bps !== null && rateOf(target_bps)],
        [t('flows.demand'), Boolean(demand_bps) && rateOf(demand_bps ?? 0)],
      ]} />
    </section>`;
}

/** @param {{ room: Room }} props */
export function FlowsPanel({ room }) {
  const flows = room.flows.value;
  const figures = room.figures.value;
  const verdicts = room.quality.value;
  const unsent = new Set(figures?.layers.filter(({ layer }) => layer < 0).map(({ track }) => track));
  const own = flows?.flows.filter(({ participant }) => participant === '') ?? [];
  const people = room.others.value.map(({ id, name }) => ({ id, name, flows: flows?.flows.filter(({ participant }) => participant === id) ?? [] }))
    .filter((person) => person.flows.length > 0 || verdicts.has(person.id));
  return html`
    <${Panel} room=${room} title=${t('flows.open')} note=${room.info.value?.name}>
      <div class="flows" tabindex="0" role="region" aria-label=${t('flows.open')}>
        ${flows ? html`
          <${QualityNote} verdict=${verdicts.get(room.you.value)} />
          <${Summary} flows=${flows} />
          ${figures && html`<${Server} figures=${figures} />`}
          <section><h3>${t('flows.sent')}</h3>${own.length > 0 ? html`<${List} flows=${own} />` : html`<p class="quiet-text">${t('flows.nothing')}</p>`}</section>
          ${people.map((person) => html`<section key=${person.id}><h3>${t('flows.from', { name: person.name })}</h3><${QualityNote} verdict=${verdicts.get(person.id)} /><${List} flows=${person.flows} unsent=${unsent} /></section>`)}
          <p class="quiet-text">${t('flows.note')}</p>` : html`<p class="quiet-text">${t('flows.counting')}</p>`}
      </div>
    </${Panel}>`;
}

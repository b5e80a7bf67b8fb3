// For the curious: what goes to the server and what comes from it, stream by stream, in plain words.

/** @import { Flow, Flows } from '../models/flows.js' */
/** @import { Room } from '../models/room.js' */
import { numberOf, t, unitOf } from '../i18n.js';
import { Panel } from './panel.js';
import { html } from './ui.js';

/** @param {number} bps */
const rateOf = (bps) => (bps >= 999_500 ? unitOf(bps / 1e6, 'megabit-per-second', 1) : unitOf(bps / 1000, 'kilobit-per-second', 0));

/** @param {number} share */
const lossOf = (share) => t('flows.lost', { share: numberOf(Math.round(share * 1000) / 10) });

/** @param {Flow} flow */
function wordsOf(flow) {
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

/** @param {{ flows: Flow[] }} props */
function List({ flows }) {
  return html`
    <ul class="flow-list">
      ${flows.map((flow) => html`<li key=${flow.key} class=${flow.active ? '' : 'idle'}><span class="flow-title">${titleOf(flow)}</span><span class="quiet-text">${wordsOf(flow)}</span></li>`)}
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
  return html`<dl class="flow-facts">${facts.map(([name, value]) => value && html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** @param {{ room: Room }} props */
export function FlowsPanel({ room }) {
  const flows = room.flows.value;
  const own = flows?.flows.filter(({ participant }) => participant === '') ?? [];
  const people = room.others.value.map(({ id, name }) => ({ id, name, flows: flows?.flows.filter(({ participant }) => participant === id) ?? [] }))
    .filter((person) => person.flows.length > 0);
  return html`
    <${Panel} room=${room} title=${t('flows.open')} note=${room.info.value?.name}>
      <div class="flows" tabindex="0" role="region" aria-label=${t('flows.open')}>
        ${flows ? html`
          <${Summary} flows=${flows} />
          <section><h3>${t('flows.sent')}</h3>${own.length > 0 ? html`<${List} flows=${own} />` : html`<p class="quiet-text">${t('flows.nothing')}</p>`}</section>
          ${people.map((person) => html`<section key=${person.id}><h3>${t('flows.from', { name: person.name })}</h3><${List} flows=${person.flows} /></section>`)}
          <p class="quiet-text">${t('flows.note')}</p>` : html`<p class="quiet-text">${t('flows.counting')}</p>`}
      </div>
    </${Panel}>`;
}

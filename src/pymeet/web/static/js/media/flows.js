// Reads every two seconds what the browser counted and the server measured, for the marks on the pictures and for those who want to know more.

/** @import { Meeting } from '../meeting.js' */
/** @import { Reading } from '../models/flows.js' */
/** @import { Room } from '../models/room.js' */
import { flowsOf } from '../models/flows.js';
import { Grades } from '../models/quality.js';

const APART_MS = 2000;

/** @param {Meeting} meeting @param {Room} room @returns {() => void} stop */
export function watchFlows(meeting, room) {
  const grades = new Grades();
  /** @type {Reading | null} */
  let before = null;
  const look = async () => {
    // Connections that are being replaced count nothing.
    const now = await meeting.reading().catch(() => null);
    const flows = now && flowsOf(now, before);
    before = now;
    room.flows.value = flows;
    const graded = flows ? grades.take(flows, room.you.value) : new Map();
    if (JSON.stringify([...graded]) !== JSON.stringify([...room.seen.value])) room.seen.value = graded;
  };
  // The server is asked only while somebody reads its answer; what it cannot say now it says in two seconds.
  const ask = async () => {
    if (room.panel.value === 'flows') room.figures.value = await meeting.figures().catch(() => null);
  };
  const timer = setInterval(() => { void look(); void ask(); }, APART_MS);
  const stopAsking = room.panel.subscribe(() => void ask());
  return () => {
    clearInterval(timer);
    stopAsking();
  };
}

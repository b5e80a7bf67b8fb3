// One way of media to the server, tried without joining anything: ICE checks alone, with credentials that open nothing. No DOM.

/** @import { Ways } from '../api-check.js' */

/** @typedef {'udp' | 'tcp' | 'relay'} Way */

const PATIENCE_MS = 6000;
// The check is over before encryption would begin, so nobody looks at this.
const NO_CERTIFICATE = Array(32).fill('00').join(':');

/** What the server would answer to an offer, with the candidates of one way. @param {Ways} ways @param {Way} way */
export function answerFor(ways, way) {
  const udp = ways.udp.map(({ host, port }, i) => `a=candidate:${i + 1} 1 udp ${2130706431 - i * 256} ${host} ${port} typ host`);
  const tcp = ways.tcp.map(({ host, port }, i) => `a=candidate:${i + 101} 1 tcp ${1518280447 - i * 256} ${host} ${port} typ host tcptype passive`);
  return [
    'v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=ice-lite', 'a=group:BUNDLE 0',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'c=IN IP4 0.0.0.0', 'a=mid:0',
    `a=ice-ufrag:${ways.ufrag}`, `a=ice-pwd:${ways.password}`,
    `a=fingerprint:sha-256 ${NO_CERTIFICATE}`, 'a=setup:passive', 'a=sctp-port:5000',
    ...(way === 'tcp' ? tcp : udp), 'a=end-of-candidates', '',
  ].join('\r\n');
}

/** Whether the server answers by this way. @param {Ways} ways @param {Way} way @returns {Promise<boolean>} */
export async function reaches(ways, way) {
  const relayed = way === 'relay';
  const pc = new RTCPeerConnection({ iceServers: relayed ? ways.ice_servers : [], iceTransportPolicy: relayed ? 'relay' : 'all' });
  try {
    pc.createDataChannel('check');
    await pc.setLocalDescription(await pc.createOffer());
    const answered = connected(pc);
    await pc.setRemoteDescription({ type: 'answer', sdp: answerFor(ways, way) });
    return await answered;
  } finally {
    pc.oniceconnectionstatechange = null;
    pc.close();
  }
}

/** @param {RTCPeerConnection} pc @returns {Promise<boolean>} */
function connected(pc) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), PATIENCE_MS);
    pc.oniceconnectionstatechange = () => {
      const state = pc.iceConnectionState;
      if (state !== 'connected' && state !== 'completed' && state !== 'failed') return;
      clearTimeout(timer);
      resolve(state !== 'failed');
    };
  });
}

/** Whether a WebSocket opens; nothing is said on it. @param {string} url @returns {Promise<boolean>} */
export function opens(url) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    const end = (/** @type {boolean} */ open) => {
      clearTimeout(timer);
      socket.close();
      resolve(open);
    };
    const timer = setTimeout(() => end(false), PATIENCE_MS);
    socket.onopen = () => end(true);
    socket.onerror = () => end(false);
  });
}

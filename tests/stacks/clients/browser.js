// A WHIP publisher and a WHEP player as a page of any site would write them: a plain RTCPeerConnection and fetch.
// Evaluates to a function that puts them on the window as `standard`.
() => {
  const FRAGMENT = 'application/trickle-ice-sdpfrag';
  let pc, location_, etag, authorization, layers;

  const headers = (type, more = {}) => ({ 'Content-Type': type, ...authorization, ...more });
  const credentials = (sdp) => ({
    ufrag: /a=ice-ufrag:(\S+)/.exec(sdp)[1], pwd: /a=ice-pwd:(\S+)/.exec(sdp)[1],
  });

  async function negotiate(url, token) {
    authorization = token ? { Authorization: `Bearer ${token}` } : {};
    await pc.setLocalDescription();
    const response = await fetch(url, { method: 'POST', headers: headers('application/sdp'), body: pc.localDescription.sdp });
    const text = await response.text();
    if (response.status !== 201) throw new Error(`${response.status} ${text}`);
    location_ = new URL(response.headers.get('Location'), url).href;
    const links = (response.headers.get('Link') ?? '').matchAll(/<([^>]*)>; rel="([^"]*)"/g);
    layers = new Map([...links].map(([, address, rel]) => [rel.split(':').at(-1), new URL(address, url).href]));
    etag = response.headers.get('ETag');
    await pc.setRemoteDescription({ type: 'answer', sdp: text });
  }

  // With `rids` in so many sizes, the largest first, each half of the one before.
  async function publish({ url, token, codec, scalabilityMode, rids = [] }) {
    pc = new RTCPeerConnection();
    const size = rids.length ? { width: 1280, height: 720 } : { width: 640, height: 360 };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { ...size, frameRate: 30 } });
    const sizes = rids.map((rid, place) => ({ rid, scaleResolutionDownBy: 2 ** place }));
    for (const track of stream.getTracks()) {
      const sendEncodings = track.kind === 'audio' ? [] : scalabilityMode ? [{ scalabilityMode }] : sizes;
      const transceiver = pc.addTransceiver(track, { direction: 'sendonly', streams: [stream], sendEncodings });
      if (codec && track.kind === 'video') {
        const known = RTCRtpSender.getCapabilities('video').codecs;
        transceiver.setCodecPreferences(known.filter((c) => [codec, 'video/rtx'].includes(c.mimeType)));
      }
    }
    await negotiate(url, token);
  }

  async function play({ url, token }) {
    pc = new RTCPeerConnection();
    const video = document.createElement('video');
    video.muted = video.autoplay = video.playsInline = true;
    video.srcObject = new MediaStream();
    document.body.append(video);
    pc.ontrack = ({ track }) => { video.srcObject.addTrack(track); video.play().catch(() => {}); };
    pc.addTransceiver('audio', { direction: 'recvonly' });
    pc.addTransceiver('video', { direction: 'recvonly' });
    await negotiate(url, token);
  }

  // What came in and went out so far, by kind of media.
  async function stats() {
    const seen = { state: pc.connectionState, frames: 0, audio: 0, video: 0, sentFrames: 0, sentAudio: 0, width: 0, height: 0, codec: '' };
    const report = await pc.getStats();
    for (const s of report.values()) {
      if (s.type === 'inbound-rtp') {
        seen[s.kind] += s.packetsReceived;
        if (s.kind === 'video') {
          seen.frames += s.framesDecoded ?? 0;
          seen.width = s.frameWidth ?? seen.width;
          seen.height = s.frameHeight ?? seen.height;
          seen.codec = report.get(s.codecId)?.mimeType ?? seen.codec;
        }
      } else if (s.type === 'outbound-rtp') {
        if (s.kind === 'video') seen.sentFrames += s.framesEncoded ?? 0;
        else seen.sentAudio += s.packetsSent;
      }
    }
    return seen;
  }

  // An ICE restart by PATCH, as RFC 9725 section 4.3.3 describes it; hands back what the server said.
  async function restart() {
    const before = etag;
    await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
    const own = credentials(pc.localDescription.sdp);
    const mid = /a=mid:(\S+)/.exec(pc.localDescription.sdp)[1];
    const kind = /m=(\w+)/.exec(pc.localDescription.sdp)[1];
    const body = `a=ice-ufrag:${own.ufrag}\r\na=ice-pwd:${own.pwd}\r\nm=${kind} 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:${mid}\r\n`;
    const response = await fetch(location_, { method: 'PATCH', headers: headers(FRAGMENT, { 'If-Match': etag }), body });
    const fragment = await response.text();
    if (response.status !== 200) throw new Error(`${response.status} ${fragment}`);
    etag = response.headers.get('ETag');
    const theirs = credentials(fragment);
    const sdp = pc.remoteDescription.sdp
      .replaceAll(/a=ice-ufrag:.*/g, `a=ice-ufrag:${theirs.ufrag}`).replaceAll(/a=ice-pwd:.*/g, `a=ice-pwd:${theirs.pwd}`);
    await pc.setRemoteDescription({ type: 'answer', sdp });
    return { before, after: etag, ...theirs };
  }

  // Chooses what is sent of the picture (draft-ietf-wish-whep); the status of the answer.
  async function choose(choice) {
    const response = await fetch(layers.get('layer'), { method: 'POST', headers: headers('application/json'), body: JSON.stringify(choice) });
    return response.status;
  }

  // Of what there is to choose, as the server tells it by the next event.
  function told() {
    return new Promise((resolve, reject) => {
      const source = new EventSource(layers.get('server-sent-events'));
      source.addEventListener('layers', ({ data }) => { source.close(); resolve(JSON.parse(data)); });
      source.onerror = () => { source.close(); reject(new Error('no events')); };
    });
  }

  // Ends the session as a client should, and only then the connection.
  async function stop() {
    const response = await fetch(location_, { method: 'DELETE', headers: authorization });
    return response.status;
  }

  window.standard = { publish, play, choose, told, stats, restart, stop };
}

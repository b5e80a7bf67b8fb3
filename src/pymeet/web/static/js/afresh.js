// Peer connections that know this computer's addresses of now. Chromium tells a page of new ones two seconds after they are
// there, but a new frame at once; so each of these lives in a hidden frame of its own, which goes with it.

/** @param {RTCConfiguration} configuration @returns {Promise<RTCPeerConnection>} */
export function connectAfresh(configuration) {
  return new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.hidden = true;
    // Chromium is ready at once, Firefox replaces what it began with.
    frame.onload = () => {
      const { RTCPeerConnection: Fresh } = /** @type {typeof globalThis & Window} */ (frame.contentWindow);
      const pc = new Fresh(configuration);
      const close = pc.close.bind(pc);
      pc.close = () => {
        close();
        frame.remove();
      };
      resolve(pc);
    };
    document.body.append(frame);
  });
}

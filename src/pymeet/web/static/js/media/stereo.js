// Opus in two channels, which browsers neither offer nor take unasked (RFC 7587, section 6.1). Text in, text out.

/**
 * Adds a parameter to Opus in some sections of a description.
 * @param {string} sdp
 * @param {string} parameter such as `stereo=1`
 * @param {(section: string) => boolean} wanted by the text of a section
 */
export function withOpus(sdp, parameter, wanted) {
  return sdp.split(/(?=^m=)/m).map((section) => {
    const type = section.match(/^a=rtpmap:(\d+) opus\//im)?.[1];
    if (!type || !wanted(section)) return section;
    const line = new RegExp(`^a=fmtp:${type} .*$`, 'm');
    if (line.test(section)) return section.replace(line, (before) => (before.includes(parameter) ? before : `${before};${parameter}`));
    return section.replace(/^(a=rtpmap:\d+ opus\/.*)$/im, `$1\r\na=fmtp:${type} ${parameter}`);
  }).join('');
}

/** The section with this mid. @param {string | null | undefined} mid */
export const ofMid = (mid) => (/** @type {string} */ section) => Boolean(mid) && section.match(/^a=mid:(.*)$/m)?.[1].trim() === mid;

/** Answers that stereo is taken where it is sent. @param {string} answer @param {string} offer */
export function takingStereo(answer, offer) {
  const sent = new Set(offer.split(/(?=^m=)/m).filter((section) => /^a=fmtp:\d+ .*\bsprop-stereo=1/m.test(section))
    .map((section) => section.match(/^a=mid:(.*)$/m)?.[1].trim()));
  return withOpus(answer, 'stereo=1', (section) => sent.has(section.match(/^a=mid:(.*)$/m)?.[1].trim()));
}

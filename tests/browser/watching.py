"""JavaScript that watches pictures from inside a page, so that a busy machine's slow test process does not count as a frozen one."""

WATCH = """() => {
  const seen = new Map();
  window.watched = seen;
  window.watcher = setInterval(async () => {
    for (const s of (await window.pymeet.subscribePc.getStats()).values()) {
      if (s.type !== "inbound-rtp" || s.kind !== "video") continue;
      const now = performance.now();
      const w = seen.get(s.mid) ?? {mid: s.mid, first: s.framesDecoded, begun: now, frames: 0, at: now, gap_ms: 0, sizes: {}};
      if (s.framesDecoded !== w.frames) { w.frames = s.framesDecoded; w.at = now; }
      w.gap_ms = Math.max(w.gap_ms, now - w.at);
      w.fps = (s.framesDecoded - w.first) / ((now - w.begun) / 1000);
      w.sizes[`${s.frameWidth}x${s.frameHeight}`] = 1;
      seen.set(s.mid, w);
    }
  }, 100);
}"""
WATCHED = "() => { clearInterval(window.watcher); return [...window.watched.values()]; }"

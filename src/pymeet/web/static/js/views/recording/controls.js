// The dialogs about the recording, whichever is open.

/** @import { Room } from '../../models/room.js' */
/** @import { RecordingControls } from './attempts.js' */
import { useEffect, useRef } from '../../../vendor/preact-hooks.js';
import { t } from '../../i18n.js';
import { ConfirmDialog, html } from '../ui.js';
import { AboutRecording, AddMarker, StartRecording } from './dialogs.js';

/** @param {{ room: Room, controls: RecordingControls }} props */
export function RecordingDialogs({ room, controls }) {
  const close = () => { controls.open.value = null; };
  const open = controls.open.value;
  const id = room.recording.value?.id;
  const shown = useRef(id);
  useEffect(() => {
    // What was asked about one recording must not be answered about the next.
    if (shown.current !== id && controls.open.value !== 'start') close();
    shown.current = id;
  }, [id]);
  // A recording that ended takes what belongs to it away.
  if (open !== 'start' && !room.recording.value) return null;
  switch (open) {
    case 'start': return html`<${StartRecording} onStart=${controls.start} onClose=${close} />`;
    case 'stop': return html`
      <${ConfirmDialog} title=${t('recording.stopTitle')} plan=${[t('recording.stopPlan')]} action=${t('recording.stop')}
        onConfirm=${controls.stop} onClose=${close} />`;
    case 'about': return html`
      <${AboutRecording} room=${room} controls=${controls} onClose=${close} />`;
    case 'destroy': return controls.left.value === id && html`
      <${ConfirmDialog} title=${t('recording.destroyTitle')} plan=${[t('recording.destroyPlan')]} action=${t('recording.destroy')}
        onConfirm=${() => void controls.destroy(room, controls.left.value)} onClose=${close} />`;
    case 'marker': return html`<${AddMarker} onAdd=${controls.mark} onClose=${close} />`;
    default: return null;
  }
}

// The meeting itself: stage, panel, bar and dialogs, and the keys that work them.

/** @import { Devices } from '../models/devices.js' */
/** @import { Meeting } from '../meeting.js' */
/** @import { Room } from '../models/room.js' */
import { useEffect, useMemo, useState } from '../../vendor/preact-hooks.js';
import { t } from '../i18n.js';
import { shortcutsWanted } from '../models/choices.js';
import { actionOf } from '../models/shortcuts.js';
import { Refused } from '../protocol.js';
import { Banner, News, Said } from './banner.js';
import { Bar } from './bar.js';
import { Chat, Consent, FlowsPanel, Keys, Knock, People, RecordingDialogs, RoomSettings, Settings, WaitingNote, prepareAll } from './later.js';
import { RecordingControls } from './recording/attempts.js';
import { Announcement, RecordingOver, RecordingSign, RecordingWarning } from './recording/sign.js';
import { Sound } from './sound.js';
import { Chips, Stage } from './stage.js';
import { StoppedNote } from './stopped.js';
import { Toast, toast } from './toast.js';
import { copy, html } from './ui.js';

const copyLink = async () => {
  const url = `${location.origin}${location.pathname}`;
  toast(await copy(url) ? t('rooms.copied') : t('rooms.copyFailed', { url }));
};

/** @param {Devices} devices */
async function toggleShare(devices) {
  if (devices.screen.value) return devices.stopSharing();
  if (await devices.shareScreen()) toast(t('problem.screen'));
  return undefined;
}

/** @param {Devices} devices @param {'microphone' | 'camera'} device */
function stateOf(devices, device) {
  const works = devices[device].value && devices.on[device].value;
  if (device === 'microphone') return t(works ? 'mic.isOn' : 'mic.off');
  return t(works ? 'camera.isOn' : 'camera.isOff');
}

/** @param {Event} event */
function isTyping(event) {
  const target = /** @type {Element | null} */ (event.target);
  return Boolean(target?.closest('input, textarea, select, dialog, [popover]'));
}

/** @param {{ room: Room, devices: Devices, meeting: Meeting, name: string, owns: boolean }} props `owns`: whether the room's settings are theirs */
export function MeetingView({ room, devices, meeting, name, owns }) {
  const [dialog, setDialog] = useState(/** @type {'settings' | 'keys' | 'room' | null} */ (null));
  const [said, setSaid] = useState('');
  const controls = useMemo(() => new RecordingControls(meeting), [meeting]);
  const share = () => { if (room.mayShare.value || devices.screen.value) void toggleShare(devices); };
  const attempt = (/** @type {Promise<unknown>} */ request) => void request.catch((error) =>
    toast(t(error instanceof Refused && error.code === 'too_many' ? 'people.tooMany' : 'people.failed')));
  const hand = () => {
    const up = !room.handUp.value;
    attempt(meeting.raiseHand(up).then(() => setSaid(t(up ? 'hand.isUp' : 'hand.isDown'))));
  };
  useEffect(() => {
    prepareAll();
    const press = (/** @type {KeyboardEvent} */ event) => {
      const action = shortcutsWanted() ? actionOf(event, isTyping(event)) : null;
      if (!action) return;
      event.preventDefault();
      if (action === 'microphone' || action === 'camera') void devices.toggle(action).then(() => setSaid(stateOf(devices, action)));
      else if (action === 'share') share();
      else if (action === 'hand') hand();
      else if (action === 'help') setDialog('keys');
      else room.toggle(action);
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
  useEffect(() => {
    let stop = () => {};
    let over = false;
    import('../media/flows.js').then(({ watchFlows }) => { if (!over) stop = watchFlows(meeting, room); }, () => {});
    return () => { over = true; stop(); };
  }, [meeting]);
  const panel = room.panel.value;
  const asked = room.asked.value;
  const leave = () => meeting.leave();
  const locked = room.state.value.locked;
  const more = [
    room.hosting.value && { icon: locked ? 'lock-open' : 'lock', label: t(locked ? 'lock.off' : 'lock.on'), onClick: () => attempt(meeting.lock(!locked)) },
    owns && { icon: 'sliders-horizontal', label: t('roomSettings.open'), onClick: () => setDialog('room') },
    { icon: 'headphones', label: t(room.viewing.audioOnly.value ? 'audioOnly.off' : 'audioOnly.on'), onClick: () => room.viewing.listenOnly(!room.viewing.audioOnly.value) },
    { icon: 'activity', label: t('flows.open'), onClick: () => room.toggle('flows') },
    { icon: 'settings', label: t('settings.title'), onClick: () => setDialog('settings') },
    { icon: 'keyboard', label: t('keys.title'), onClick: () => setDialog('keys') },
  ];
  const record = () => { controls.open.value = room.recording.value ? 'stop' : 'start'; };
  return html`
    <div class=${['meeting', panel && 'with-panel', asked && 'asked'].filter(Boolean).join(' ')}>
      <${Announcement} room=${room} />
      <${RecordingSign} room=${room} onDetails=${() => { controls.open.value = 'about'; }} onMark=${() => { controls.open.value = 'marker'; }} />
      <header class="notices">
        <${Banner} room=${room} />
        <${RecordingWarning} room=${room} />
        <${RecordingOver} room=${room} onClose=${() => { room.recordingNews.value = null; }} />
        <${Sound} room=${room} devices=${devices} />
        <${StoppedNote} room=${room} devices=${devices} />
        ${room.hosting.value && html`<${WaitingNote} room=${room} meeting=${meeting} attempt=${attempt} />`}
        <${Chips} room=${room} devices=${devices} link=${copyLink} />
      </header>
      <${Stage} room=${room} devices=${devices} name=${name} />
      <div class="beside">
        ${asked && html`<${Consent} key=${room.recording.value?.id} room=${room} onAnswer=${controls.answer} onLeave=${leave} />`}
        ${panel === 'chat' && html`<${Chat} room=${room} meeting=${meeting} attempt=${attempt} />`}
        ${panel === 'flows' && html`<${FlowsPanel} room=${room} />`}
        ${panel === 'people' && html`
          <${People} room=${room} devices=${devices} meeting=${meeting} attempt=${attempt} onCopyLink=${copyLink} />`}
      </div>
      <${Bar} room=${room} devices=${devices} onShare=${share} onRecord=${record} onHand=${hand}
        onReact=${(/** @type {import('../types.js').Reaction} */ reaction) => attempt(meeting.react(reaction))} more=${more} onLeave=${leave} />
      <${News} room=${room} />
      <${Knock} room=${room} />
      <${Said} said=${said} />
      <${Toast} />
      <${RecordingDialogs} room=${room} controls=${controls} />
      ${dialog === 'settings' && html`<${Settings} devices=${devices} onClose=${() => setDialog(null)} onKeys=${() => setDialog('keys')} />`}
      ${dialog === 'room' && room.info.value && html`
        <${RoomSettings} slug=${room.info.value.slug} name=${room.info.value.name} onSaved=${() => toast(t('roomSettings.saved'))} onClose=${() => setDialog(null)} />`}
      ${dialog === 'keys' && html`<${Keys} onClose=${() => setDialog(null)} />`}
    </div>`;
}

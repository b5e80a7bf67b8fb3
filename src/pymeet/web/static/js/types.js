// The shapes of docs/protocol.md that travel through the client. Types only.

/** @typedef {'microphone' | 'camera' | 'screen' | 'screen_audio'} Source */
/** @typedef {'host' | 'cohost' | 'member' | 'guest'} Role */
/** @typedef {{ id: string, source: Source, kind: 'audio' | 'video', muted: boolean }} Track */
/**
 * @typedef {object} Participant
 * @property {string} id
 * @property {string} name
 * @property {Role} role
 * @property {'browser' | 'publisher' | 'player'} kind
 * @property {'connected' | 'reconnecting'} connection
 * @property {Track[]} tracks
 * @property {string} [picture] the secret part of the address of their picture, where they have one
 */
/**
 * @typedef {object} ChatMessage
 * @property {string} id
 * @property {string} participant
 * @property {string} name
 * @property {string} text
 * @property {number} at
 * @property {string} [to] participant id of the only other one who sees it
 * @property {number} [edited_at]
 * @property {boolean} [deleted] its words were taken back while this page looked on
 */
/** @typedef {'thumbs_up' | 'clap' | 'heart' | 'laugh' | 'surprised' | 'celebrate'} Reaction */
/** @typedef {{ id: string, name: string, kind: 'member' | 'guest', since: number }} Waiting somebody before the door */
/**
 * What hosts have set for everybody in the meeting.
 * @typedef {object} RoomState
 * @property {boolean} locked nobody new comes in
 * @property {string | null} spotlight the participant whom everybody sees large
 * @property {string[]} hands who raised a hand, in the order in which they did
 * @property {'everybody' | 'members' | 'hosts'} may_share
 * @property {'hosts' | 'nobody'} may_record
 */
/** @typedef {{ slug: string, name: string, ends_in_s?: number }} RoomInfo */
/** @typedef {'yes' | 'no'} Answer whether one is to be recorded */
/**
 * A recording under way, as one person may know it.
 * @typedef {object} Recording
 * @property {string} id
 * @property {number} started_at
 * @property {string} by participant id of who started it
 * @property {boolean} chat whether the chat of those who agreed belongs to it
 * @property {number | null} keep_until
 * @property {string[]} recorded ids of those who agreed
 * @property {Answer | null} you one's own answer, null before it
 * @property {{ reason: string, stops_at: number | null }} [warning] it is going to be stopped
 */
/** @typedef {{ id: string, answer: Answer, language: string }} EarlyAnswer what was answered before joining */
/** @typedef {{ mid: string, participant: string, track: string, source: Source }} OfferedTrack */
/**
 * @typedef {object} Joined
 * @property {'joined'} type
 * @property {string} you
 * @property {boolean} resumed
 * @property {string} resume
 * @property {RoomInfo} room
 * @property {Role} role
 * @property {Participant[]} participants
 * @property {ChatMessage[]} messages
 * @property {number} heartbeat_s
 * @property {number} seat_s
 * @property {RoomState} state
 * @property {Recording | null} [recording]
 * @property {{ urls: string[], username: string, credential: string }[]} [ice_servers] the operator's TURN server
 * @property {string} [receipt] to guests: with it they see, take along and erase their data
 */
/**
 * What the server measured of one's own connections; null where it does not know.
 * @typedef {object} Figures
 * @property {number | null} sent_loss share of what one sent that never came, 0 to 1, of the track of which it is most
 * @property {number | null} received_loss
 * @property {number | null} round_trip_ms
 * @property {number | null} queue_ms how long packets stand in a queue on the way here
 * @property {number | null} target_bps what may be sent here; null for as much as is wanted
 * @property {number | null} demand_bps
 * @property {{ track: string, layer: number }[]} layers -1 for a picture that is not sent
 */
/** @typedef {{ type: 'offer', offer: number, fresh?: boolean, sdp: string, tracks: OfferedTrack[] }} Offer */
/**
 * @typedef {Joined | Offer
 *   | { type: 'waiting', id: string, room: RoomInfo }
 *   | { type: 'lobby', people: Waiting[] }
 *   | { type: 'room_state' } & RoomState
 *   | { type: 'reaction', participant: string, reaction: Reaction }
 *   | { type: 'message_changed', id: string, text: string | null, edited_at: number | null }
 *   | { type: 'stopped', source: Source, by: string }
 *   | { type: 'participant', participant: Participant }
 *   | { type: 'participant_left', participant: string, reason: 'left' | 'removed' | 'lost' }
 *   | { type: 'speakers', participants: string[], dominant: string | null }
 *   | { type: 'chat', message: ChatMessage }
 *   | { type: 'recording', recording: Recording | null, reason?: string }
 *   | { type: 'media', connection: 'publish' | 'subscribe', state: 'connected' | 'disconnected' | 'failed' }
 *   | { type: 'layers', source: Source, active: string[] }
 *   | { type: 'withheld', tracks: string[] }
 *   | { type: 'quality', participants: { participant: string, grade: 'weak' | 'poor', cause: 'sending' | 'receiving' | 'delay' | 'narrow' }[] }
 *   | { type: 'figures', re: string } & Figures
 *   | { type: 'removed' | 'ended', reason: string }
 *   | { type: 'closing', reason: string, retry_s: number }
 *   | { type: 'error', re?: string, code: string, message: string }
 *   | { type: 'published', re: string, sdp: string }
 *   | { type: 'ok' | 'pong', re: string }} ServerMessage
 */
/** A meeting that is over for this page: a stable code, and the server's own sentence where it gave one.
 * @typedef {{ code: string, message: string }} Ending */

export {};

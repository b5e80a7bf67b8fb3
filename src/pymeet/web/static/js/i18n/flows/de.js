// Deutsch, für die Angaben zur Verbindung.

/** @type {Record<keyof typeof import('./en.js').default, string>} */
export default {
  'flows.counting': 'Es wird gezählt…',
  'flows.roundTrip': 'Hin und zurück',
  'flows.sending': 'Sie senden',
  'flows.sendable': 'Sie könnten senden',
  'flows.receiving': 'Sie empfangen',
  'flows.way': 'Weg zum Server',
  'flows.way.udp': 'UDP, der schnelle',
  'flows.way.tcp': 'TCP, weil UDP gesperrt ist',
  'flows.sent': 'Was Sie senden',
  'flows.nothing': 'Nichts',
  'flows.from': 'Von {name}',
  'flows.microphone': 'Mikrofon',
  'flows.camera': 'Kamera',
  'flows.screen': 'Bildschirm',
  'flows.screen_audio': 'Ton des Bildschirms',
  'flows.layer.l': 'klein',
  'flows.layer.m': 'mittel',
  'flows.layer.h': 'groß',
  'flows.size': '{width} × {height}',
  'flows.pictures': '{count} Bilder in der Sekunde',
  'flows.lost': '{share}\u00a0% verloren',
  'flows.notSent': 'Nicht gesendet: Zurzeit braucht es niemand',
  'flows.notReceived': 'Zurzeit kommt nichts',
  'flows.note': 'Von Ihrem Browser alle zwei Sekunden gezählt. Bilder kommen nur so groß, wie Sie sie sehen, und gar nicht, solange sie außer Sicht sind.',
};

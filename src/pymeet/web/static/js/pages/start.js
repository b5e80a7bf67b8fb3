// /: the way into a room, and for members their own rooms.

import '../hosting-words.js';
import '../rooms-words.js';
import '../recordings-words.js';
import '../schedule-words.js';
import '../groups-words.js';
import { StartView, load } from '../views/start.js';
import { html, start } from '../views/ui.js';

void load();
void start('app.name', () => html`<${StartView} />`);

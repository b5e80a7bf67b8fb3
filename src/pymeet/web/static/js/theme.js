// Runs before the first paint, so that a chosen theme does not flash. A plain script: modules come too late for this.
'use strict';
try {
  const theme = localStorage.getItem('pymeet.theme');
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // Storage is forbidden: the theme follows the system.
}

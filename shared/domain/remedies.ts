/** What closes an open relay whatever the software: always given, strongest first. */
export const GENERAL_REMEDIES: readonly string[] = [
  'Accept mail for other domains only from users who have authenticated.',
  'Restrict relaying to a short list of your own addresses and ranges; look for 0.0.0.0/0, ::/0 or a whole provider range in it.',
  'If nothing else needs to reach the server, let it listen only on the local computer or LAN.',
  'Moving the server to another port hides it from scanners of port 25 and closes nothing.',
];

/** What to do at once, before looking for the cause. */
export const FIRST_AID: readonly string[] = [
  'Stop SMTP from outside: close port 25 at the firewall, or stop the mail service.',
  'Hold the outgoing queue and look for mail that is not yours before you release it.',
];

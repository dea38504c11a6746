import type { HostNotice, Notice } from '../domain/notice.ts';
import { dnsTroubleLetter, gaveUpLetter, provenLetter } from './consent-letters.ts';
import { groupLetter } from './group-letter.ts';
import { type Mail, renderLetter } from './letter.ts';
import { changeLetter, digestLetter, reminderLetter, type Unsigned } from './relay-letters.ts';
import type { NoticeLinks } from './sections.ts';
import { backLetter, silentLetter } from './silence-letters.ts';

const SIGNATURE = 'Relay Audit writes to you because you are an alert recipient of ';

/** The mail of a notice. */
export function renderNotice(notice: Notice, links: NoticeLinks): Mail {
  const { unsubscribeUrl } = links;
  if (notice.about === 'hosts') {
    const { hosts, ...owed } = notice;
    const [only, ...others] = hosts;
    // Nobody else joined: it is told as it would have been at once.
    if (only !== undefined && others.length === 0) return renderNotice({ ...owed, ...only, about: 'host' }, links);
    return renderLetter({ ...groupLetter(hosts, links), signature: `${SIGNATURE}these hosts.`, unsubscribeUrl });
  }
  return renderLetter({ ...letterOf(notice, links), signature: `${SIGNATURE}${notice.hostName}.`, unsubscribeUrl });
}

function letterOf(notice: HostNotice, links: NoticeLinks): Unsigned {
  const { occasion } = notice;
  switch (occasion.kind) {
    case 'change':
      return changeLetter(notice, occasion, links);
    case 'reminder':
      return reminderLetter(notice, occasion, links);
    case 'digest':
      return digestLetter(notice, occasion, links);
    case 'silent':
      return silentLetter(notice, occasion, links);
    case 'back':
      return backLetter(notice, occasion, links);
    case 'proven':
      return provenLetter(notice, occasion, links);
    case 'gave-up':
      return gaveUpLetter(notice, occasion, links);
    case 'dns-trouble':
      return dnsTroubleLetter(notice, occasion, links);
  }
}

/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/**
 * What the script of the pages does, in the browser: it is sent as it stands here, so it may use nothing from outside of itself. Every
 * page works without it. It shows times in the reader's own zone, gives texts that are to be copied a button, and looks every few
 * seconds whether a part that is still under way has changed (`data-live`, the seconds between two looks).
 */
export function enhance(): void {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

  function showLocalTimes(within: ParentNode): void {
    for (const time of within.querySelectorAll('time')) time.textContent = format.format(new Date(time.dateTime));
  }

  function addCopyButtons(within: ParentNode): void {
    if (navigator.clipboard === undefined) return;
    for (const block of within.querySelectorAll('pre.copy')) {
      const text = block.textContent ?? '';
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'copy';
      button.textContent = 'Copy';
      button.setAttribute('aria-label', `Copy ${text.slice(0, 60)}`);
      button.addEventListener('click', () => {
        navigator.clipboard.writeText(text).then(
          () => {
            button.textContent = 'Copied';
            setTimeout(() => {
              button.textContent = 'Copy';
            }, 2_000);
          },
          () => {
            button.textContent = 'Select and copy by hand';
          },
        );
      });
      block.append(button);
    }
  }

  function improve(within: ParentNode): void {
    showLocalTimes(within);
    addCopyButtons(within);
  }

  // The same page is asked for again, and its live part takes the place of the one that is shown, unless somebody is using it.
  async function look(): Promise<void> {
    const part = document.querySelector<HTMLElement>('[data-live]');
    if (part === null) return;
    try {
      const answer = await fetch(location.href, { headers: { accept: 'text/html' }, credentials: 'same-origin' });
      if (answer.ok && !document.hidden && !part.contains(document.activeElement)) {
        const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
        const next = fresh.getElementById(part.id);
        // What has come to its end is shown whole, with everything around it: from this answer, since another may cost another look at DNS.
        const [main, whole] = [document.querySelector('main'), fresh.querySelector('main')];
        if (next === null || next.dataset.live === undefined) {
          if (answer.redirected || main === null || whole === null) return location.reload();
          document.title = fresh.title;
          improve(whole);
          main.replaceWith(whole);
          return watch();
        }
        // What its reader has unfolded stays so.
        const folds = [...part.querySelectorAll('details')].map(({ open }) => open);
        for (const [index, details] of next.querySelectorAll('details').entries()) details.open = folds[index] ?? details.open;
        improve(next);
        part.replaceWith(next);
      }
    } catch {
      // The network is away for a moment; the next look will tell.
    }
    watch();
  }

  function watch(): void {
    const part = document.querySelector<HTMLElement>('[data-live]');
    if (part !== null) setTimeout(() => void look(), Number(part.dataset.live) * 1_000);
  }

  improve(document);
  watch();
}

/** The picture of the site, an envelope that is not passed on. */
export const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f5fbf"/><path d="M6 10h20v13H6z" fill="none" stroke="#fff" stroke-width="2.2" stroke-linejoin="round"/><path d="m6.5 10.5 9.5 7.5 9.5-7.5" fill="none" stroke="#fff" stroke-width="2.2" stroke-linejoin="round"/></svg>';

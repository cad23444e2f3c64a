// One set of line icons, drawn on 24 by 24.
const PATHS = {
  overview: "M3 13h4l3-9 4 16 3-7h4",
  traces: "M4 6h10M4 12h16M4 18h7M18 4v4M11 10v4M15 16v4",
  usage: "M5 20V10M12 20V4M19 20v-7M3 20h18",
  alerts: "M12 4a5 5 0 0 0-5 5c0 5-2 6-2 6h14s-2-1-2-6a5 5 0 0 0-5-5ZM10 19a2 2 0 0 0 4 0",
  playground: "M4 5h16v11H9l-4 4v-4H4Z M8 9h8M8 12.500h5",
  keys: "M14 10a4 4 0 1 0-3.500 3.970L12 15.500v2h2v2h3v-3l-4-4A4 4 0 0 0 14 10Z M9 9h.01",
  models: "M12 3l8 4.500v9L12 21l-8-4.500v-9Z M4 7.500l8 4.500 8-4.500M12 12v9",
  privacy: "M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6Z M9 12l2 2 4-4",
  config: "M4 7h9M17 7h3M4 17h3M11 17h9M13 5v4M9 15v4",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h10v11H9Z M15 9V5H5v11h4",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  warn: "M12 4l9 16H3Z M12 10v4M12 17h.01",
  info: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM12 11v5M12 8h.01",
  check: "M5 12.500l4.500 4.500L19 7.500",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2",
  moon: "M20 14.500A8 8 0 0 1 9.500 4 8 8 0 1 0 20 14.500Z",
  out: "M14 4H5v16h9M10 12h11M17 8l4 4-4 4",
  play: "M7 5l12 7-12 7Z",
  stop: "M6 6h12v12H6Z",
  plus: "M12 5v14M5 12h14",
  again: "M20 11a8 8 0 1 0-2 6M20 5v6h-6",
  down: "M12 4v11M7 11l5 5 5-5M5 20h14",
  flask: "M9 3h6M10 3v6l-5 9a2 2 0 0 0 2 3h10a2 2 0 0 0 2-3l-5-9V3M7.500 15h9",
  table: "M4 5h16v14H4Z M4 10h16M10 10v9",
  empty: "M4 13l3-8h10l3 8v6H4Z M4 13h5l1 3h4l1-3h5",
  eye: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12Z M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6Z",
} as const;
export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Logo() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#0b6b74" />
      <path d="M5 19c4.500-9 17.500-9 22 0" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" />
      <path d="M11 15.200V23M16 13.500V23M21 15.200V23" stroke="#fff" stroke-width="2.200" stroke-linecap="round" />
      <path d="M5 25.500h22" stroke="#8fe0dc" stroke-width="2.200" stroke-linecap="round" />
    </svg>
  );
}

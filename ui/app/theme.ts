/** The look: two designed colour schemes as CSS variables, one accent, a 13 px base with tabular figures, a 4 px grid. */
import { createTheme } from '@mui/material/styles';

/** Colours by meaning that MUI does not know. Each has a contrast of at least 4.5 on every surface of its scheme. */
interface Meanings {
  critical: string;
  high: string;
  medium: string;
  low: string;
  info: string;
  live: string;
}
declare module '@mui/material/styles' {
  interface Palette {
    meaning: Meanings;
    surface: { raised: string; sunken: string; hover: string; selected: string };
  }
  interface PaletteOptions {
    meaning: Meanings;
    surface: { raised: string; sunken: string; hover: string; selected: string };
  }
}

/** Where the choice light, dark or system is kept; `public/scheme.js` reads the same key. */
export const SCHEME_KEY = 'funnelai.scheme';

/** Free families first that are narrow enough for dense tables; nothing is ever downloaded. */
const SANS =
  '-apple-system, "Segoe UI", Roboto, "Noto Sans", Ubuntu, Cantarell, "Helvetica Neue", Arial, "DejaVu Sans Condensed", sans-serif';
export const MONO =
  'ui-monospace, SFMono-Regular, "Cascadia Mono", "JetBrains Mono", "Noto Sans Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';

const px = (size: number): string => `${size / 16}rem`;

/** Where the keyboard is. */
const FOCUS = { outline: '2px solid var(--mui-palette-primary-main)', outlineOffset: 1 } as const;
/** The same within what is cut off at its own edge. */
const FOCUS_INSIDE = { '&:focus-visible': { outlineOffset: -2 } } as const;

export const theme = createTheme({
  cssVariables: { colorSchemeSelector: '[data-scheme="%s"]' },
  colorSchemes: {
    light: {
      palette: {
        primary: { main: '#0b6b67', dark: '#085350', light: '#0f8781', contrastText: '#ffffff' },
        error: { main: '#b3201f', dark: '#8f1716', contrastText: '#ffffff' },
        warning: { main: '#855300' },
        success: { main: '#1a7037' },
        info: { main: '#0b6b67' },
        background: { default: '#ffffff', paper: '#ffffff' },
        text: { primary: '#171c22', secondary: '#525c68', disabled: '#6b7580' },
        divider: '#dde2e7',
        action: { active: '#525c68' },
        surface: { raised: '#ffffff', sunken: '#f5f7f9', hover: '#f0f4f5', selected: '#e2f0ef' },
        meaning: {
          critical: '#b3201f',
          high: '#b0440a',
          medium: '#855300',
          low: '#1c5cc4',
          info: '#5a6470',
          live: '#1a7037',
        },
      },
    },
    dark: {
      palette: {
        primary: { main: '#4fc7be', dark: '#37aaa2', light: '#7cdad3', contrastText: '#06201f' },
        error: { main: '#ff8078', dark: '#f4655d', contrastText: '#2a0706' },
        warning: { main: '#e6b450' },
        success: { main: '#62c583' },
        info: { main: '#4fc7be' },
        background: { default: '#12161c', paper: '#181d25' },
        text: { primary: '#e4e8ed', secondary: '#a3adb9', disabled: '#8b95a1' },
        divider: '#2c343f',
        action: { active: '#a3adb9' },
        surface: { raised: '#1f2630', sunken: '#171c23', hover: '#1c232c', selected: '#173634' },
        meaning: {
          critical: '#ff8078',
          high: '#ffa463',
          medium: '#e6b450',
          low: '#7fb2ff',
          info: '#a3adb9',
          live: '#62c583',
        },
      },
    },
  },
  shape: { borderRadius: 4 },
  spacing: 4,
  typography: {
    fontFamily: SANS,
    fontSize: 13,
    body1: { fontSize: px(13), lineHeight: 1.5 },
    body2: { fontSize: px(13), lineHeight: 1.5 },
    caption: { fontSize: px(12), lineHeight: 1.4 },
    h1: { fontSize: px(18), lineHeight: 1.35, fontWeight: 600 },
    h2: { fontSize: px(14), lineHeight: 1.4, fontWeight: 600 },
    h3: { fontSize: px(13), lineHeight: 1.5, fontWeight: 600 },
    subtitle1: { fontSize: px(13), fontWeight: 600 },
    button: { fontSize: px(13), textTransform: 'none', fontWeight: 500, lineHeight: 1.4 },
  },
  components: {
    MuiCssBaseline: {
      styleOverrides: {
        // What the keyboard reaches does not come to lie under the bar, a table's head, or the menu at the foot of a phone.
        html: { scrollPaddingTop: 'calc(var(--funnelai-top, 48px) + 40px)', scrollPaddingBottom: 56 },
        body: { fontVariantNumeric: 'tabular-nums', overflowY: 'scroll' },
        'code, kbd, pre, samp': { fontFamily: MONO, fontSize: '0.95em' },
        ':focus-visible': FOCUS,
        a: { color: 'var(--mui-palette-primary-main)' },
        '@media (prefers-reduced-motion: reduce)': {
          '*, *::before, *::after': { animationDuration: '0.01ms !important', transitionDuration: '0.01ms !important' },
        },
      },
    },
    MuiButtonBase: {
      defaultProps: { disableRipple: true },
      // MUI shows the focus by the ripple, and takes the browser's own sign away.
      styleOverrides: { root: { '&:focus-visible': FOCUS } },
    },
    MuiButton: {
      defaultProps: { size: 'small', disableElevation: true, color: 'primary' },
      styleOverrides: { root: { minHeight: 32, paddingInline: 12, whiteSpace: 'nowrap' }, text: { paddingInline: 8 } },
    },
    MuiIconButton: { defaultProps: { size: 'small' } },
    MuiPaper: { styleOverrides: { root: { backgroundImage: 'none' } } },
    MuiDialog: { styleOverrides: { paper: { border: '1px solid var(--mui-palette-divider)' } } },
    MuiDialogTitle: { styleOverrides: { root: { fontSize: px(15), fontWeight: 600, padding: '16px 20px 8px' } } },
    MuiDialogContent: { styleOverrides: { root: { padding: '8px 20px' } } },
    MuiDialogActions: { styleOverrides: { root: { padding: '12px 20px 16px' } } },
    MuiTextField: { defaultProps: { size: 'small', fullWidth: true } },
    MuiFormHelperText: { styleOverrides: { root: { marginInline: 0, fontSize: px(12) } } },
    MuiTooltip: {
      defaultProps: { enterDelay: 350, enterNextDelay: 100 },
      styleOverrides: {
        tooltip: {
          fontSize: px(12),
          fontWeight: 400,
          maxWidth: 420,
          fontVariantNumeric: 'tabular-nums',
          backgroundColor: '#2b333d',
          color: '#f2f5f8',
        },
      },
    },
    MuiSelect: { styleOverrides: { select: { display: 'flex', alignItems: 'center' } } },
    MuiMenuItem: { styleOverrides: { root: { fontSize: px(13), minHeight: 32, ...FOCUS_INSIDE } } },
    MuiTabs: { styleOverrides: { root: { minHeight: 36 }, indicator: { height: 2 } } },
    MuiTab: { styleOverrides: { root: { minHeight: 36, padding: '6px 12px', minWidth: 0, ...FOCUS_INSIDE } } },
    MuiChip: { styleOverrides: { root: { borderRadius: 4 } } },
    MuiAlert: { styleOverrides: { root: { fontSize: px(13), paddingBlock: 2 } } },
  },
});

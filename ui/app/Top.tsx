/** What stays in view on every page: the bar, and the banners below it. Its height is known to what sticks below, as `--funnelai-top`. */
import Box from '@mui/material/Box';
import { type ReactNode, useLayoutEffect, useRef } from 'react';

export function Top({ children }: { children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const top = box.current;
    if (top === null) return;
    // Banners come and go, and break into as many lines as the width asks for.
    const observer = new ResizeObserver(() => {
      const isSticky = getComputedStyle(top).position === 'sticky';
      document.documentElement.style.setProperty('--funnelai-top', isSticky ? `${top.offsetHeight}px` : '0px');
    });
    observer.observe(top);
    return () => observer.disconnect();
  }, []);
  return (
    <Box
      ref={box}
      sx={{
        position: 'sticky',
        top: 0,
        zIndex: 20,
        // On a low screen, or a much enlarged one, it would leave no room for the page.
        '@media (max-height: 480px)': { position: 'static' },
      }}
    >
      {children}
    </Box>
  );
}

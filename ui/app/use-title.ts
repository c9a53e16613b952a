/** The browser tab's title: how many incidents nobody has acknowledged, then the page. */
import { useEffect } from 'react';

let unacknowledged = 0;
let page = '';
const write = () => {
  document.title = `${unacknowledged > 0 ? `(${unacknowledged}) ` : ''}${page === '' ? '' : `${page} · `}funnelAI`;
};

export function useTitle(title: string): void {
  useEffect(() => {
    page = title;
    write();
  }, [title]);
}
export function useUnacknowledgedInTitle(count: number): void {
  useEffect(() => {
    unacknowledged = count;
    write();
  }, [count]);
}

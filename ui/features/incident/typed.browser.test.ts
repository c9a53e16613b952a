/** Text that someone types into the pages: shown as it is meant, kept when a key or a click goes astray, never laid over what another one wrote. */

import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Stage, setStage } from '../../testing/browser.ts';
import { anIncidentItem } from '../../testing/builders.ts';

const LIST = '/incidents?namespace=demo';
const PATH = '/incidents/demo/checkout-amber-falcon';

let stage: Stage;
let page: Page | undefined;
const open = async (...args: Parameters<Stage['open']>): Promise<Page> => {
  page = await stage.open(...args);
  return page;
};
beforeAll(async () => {
  stage = await setStage();
}, 120_000);
afterAll(() => stage?.close());
beforeEach(() => stage.fake.state.reset([anIncidentItem()]));
afterEach(() => page?.context().close());

describe('what was typed', () => {
  it('is not lost by a click beside the dialog, and is there again after Escape', async () => {
    const at = await open(LIST);
    await at.getByRole('button', { name: 'Declare' }).click();
    const dialog = at.getByRole('dialog', { name: 'Declare an incident' });
    await dialog.getByLabel('What is wrong').fill('Everything is on fire');
    await at.mouse.click(5, 5);
    await dialog.getByLabel('What is wrong').focus();
    expect(await dialog.getByLabel('What is wrong').inputValue()).toBe('Everything is on fire');
    await at.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    await at.getByText('Your text is kept').waitFor();
    await at.getByRole('button', { name: 'Declare' }).click();
    expect(await dialog.getByLabel('What is wrong').inputValue()).toBe('Everything is on fire');
    await dialog.getByRole('button', { name: 'Discard' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await at.getByRole('button', { name: 'Declare' }).click();
    expect(await dialog.getByLabel('What is wrong').inputValue()).toBe('');
  });

  it('closes an empty dialog with a click beside it', async () => {
    const at = await open(LIST);
    await at.getByRole('button', { name: 'Declare' }).click();
    const dialog = at.getByRole('dialog', { name: 'Declare an incident' });
    await dialog.getByLabel('What is wrong').waitFor();
    await at.mouse.click(5, 5);
    await dialog.waitFor({ state: 'hidden' });
  });

  it('as the reason of a move is there again after Escape, and gone after Cancel', async () => {
    const at = await open(PATH);
    await at.getByRole('button', { name: 'Acknowledge' }).waitFor();
    await expect.poll(() => at.getByRole('button', { name: 'Acknowledge' }).isEnabled()).toBe(true);
    const reason = at.getByRole('dialog').getByLabel('Why (optional)');
    await at.keyboard.press('r');
    await reason.fill('A flapping probe, see the board');
    await at.keyboard.press('Escape');
    await at.getByText('Your text is kept').waitFor();
    await at.getByRole('dialog').waitFor({ state: 'hidden' });
    await at.keyboard.press('r');
    expect(await reason.inputValue()).toBe('A flapping probe, see the board');
    await at.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await at.getByRole('dialog').waitFor({ state: 'hidden' });
    await at.keyboard.press('r');
    expect(await reason.inputValue()).toBe('');
  });
});

describe('the summary', () => {
  const typed = '**Impact**: see [the board](https://grafana.example/d/1)\n\n<img src=x onerror="document.title=1">';

  it('is shown as Markdown, its HTML as text, and kept when Escape is hit by mistake', async () => {
    const at = await open(PATH);
    await at.getByRole('button', { name: 'Edit summary' }).click();
    await at.getByRole('textbox', { name: 'Summary' }).fill(typed);
    await at.keyboard.press('Escape');
    await at.getByText('your text is kept').waitFor();
    await at.getByRole('button', { name: 'Edit summary' }).click();
    expect(await at.getByRole('textbox', { name: 'Summary' }).inputValue()).toBe(typed);
    await at.keyboard.press('Control+Enter');
    const details = at.getByRole('complementary', { name: 'Details' });
    await details.getByText('<img src=x').waitFor();
    expect(await details.locator('img').count()).toBe(0);
    expect(await details.locator('strong').textContent()).toBe('Impact');
    expect(await details.getByRole('link', { name: 'the board' }).getAttribute('href')).toBe(
      'https://grafana.example/d/1',
    );
  });

  it('that Escape kept is not laid over what another one has written since', async () => {
    const at = await open(PATH);
    await at.getByRole('button', { name: 'Edit summary' }).click();
    await at.getByRole('textbox', { name: 'Summary' }).fill('Mine');
    await at.keyboard.press('Escape');
    const theirs = { edits: [{ field: 'summary' as const, from: null, to: 'Theirs' }] };
    stage.fake.state.edit('demo', 'checkout-amber-falcon', theirs, 'bo');
    await at.getByRole('complementary', { name: 'Details' }).getByText('Theirs').waitFor();
    await at.getByRole('button', { name: 'Edit summary' }).click();
    expect(await at.getByRole('textbox', { name: 'Summary' }).inputValue()).toBe('Mine');
    await at.keyboard.press('Control+Enter');
    await at.getByRole('alert').filter({ hasText: 'bo was first' }).waitFor();
  });
});

describe('the links', () => {
  it('are edited in place, and the second of two people sees both lists and keeps theirs', async () => {
    const at = await open(PATH);
    await at.getByRole('button', { name: 'Edit links' }).click();
    const form = at.getByRole('form', { name: 'Links' });
    await form.getByRole('button', { name: 'Add a link' }).click();
    const second = form.getByRole('group', { name: 'Link 2' });
    await second.getByRole('textbox', { name: 'Title' }).fill('War room');
    await second.getByRole('textbox', { name: 'Address' }).fill('https://chat.example/room');
    const first = {
      title: 'Checkout dashboard',
      url: 'https://grafana.example/d/checkout',
      kind: 'Dashboard' as const,
    };
    stage.fake.state.edit(
      'demo',
      'checkout-amber-falcon',
      { edits: [{ field: 'links', from: [first], to: null }] },
      'bo',
    );
    await form.getByRole('button', { name: 'Save' }).click();
    await at.getByRole('alert').filter({ hasText: 'bo was first' }).getByRole('button', { name: 'Use mine' }).click();
    await at.getByRole('link', { name: /War room/ }).waitFor();
    expect(stage.fake.state.detail('demo', 'checkout-amber-falcon').incident.spec.links).toEqual([
      first,
      { title: 'War room', url: 'https://chat.example/room', kind: 'Other' },
    ]);
  });

  it('are there again after Escape', async () => {
    const at = await open(PATH);
    await at.getByRole('button', { name: 'Edit links' }).click();
    const form = at.getByRole('form', { name: 'Links' });
    await form.getByRole('textbox', { name: 'Address' }).fill('https://chat.example/room');
    await at.keyboard.press('Escape');
    await at.getByText('your links are kept').waitFor();
    await at.getByRole('button', { name: 'Edit links' }).click();
    expect(await form.getByRole('textbox', { name: 'Address' }).inputValue()).toBe('https://chat.example/room');
  });
});

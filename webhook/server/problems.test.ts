import { KubeError } from '@funnelai/kube/errors';
import { describe, expect, it } from 'vitest';
import { problemFrom } from './problems.ts';

const refusal = (...causes: { field?: string; message: string }[]) =>
  problemFrom(
    new KubeError({ status: 422, reason: 'Invalid', message: 'is invalid', details: { causes }, transient: false }),
  );
const unchecked = { field: '<nil>', message: 'Invalid value: null: some validation rules were not checked' };

describe('what the API server refuses', () => {
  it('is told by the fields that are wrong, without what follows from them', () => {
    const title = { field: 'spec.title', message: 'Required value' };
    expect(refusal(title, unchecked, title)).toMatchObject({
      code: 'Invalid',
      status: 422,
      message: 'spec.title: Required value',
      details: { field: 'spec.title' },
    });
  });

  it('is told whole where no field is named', () => {
    expect(refusal(unchecked).message).toBe(unchecked.message);
  });
});

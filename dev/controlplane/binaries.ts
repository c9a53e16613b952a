/** The Kubernetes version of the embedded control plane; go.mod beside it must name the same (a test holds them together). */
import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../process/fault.ts';

export const KUBERNETES_VERSION = '1.37.2';

/** What must lie in a directory of control-plane binaries, under these names. */
export const BINARIES = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'] as const;
export type Binary = (typeof BINARIES)[number];

/** In which directory of our cache this machine's binaries lie. */
export function platformName(version = KUBERNETES_VERSION): string {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  return `${version}-${process.platform}-${arch}`;
}

/** Names of the binaries that are missing in `directory` or cannot be executed. */
export function missingIn(directory: string): string[] {
  return BINARIES.filter((name) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return !statSync(join(directory, name)).isFile();
    } catch (error) {
      if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(codeOf(error) ?? '')) return true;
      throw error;
    }
  });
}

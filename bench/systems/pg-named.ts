import type { System } from '../works.ts'
import { open as openPg } from './pg.ts'

export const open = (url: string): Promise<System> => openPg(url, true)

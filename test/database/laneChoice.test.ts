// Which lane a statement is given: over wires that do nothing but keep what they were given until the test answers it,
// and were busy for as long as it says. The clock stands still, so that a busy machine changes nothing.
// wire only: no call of it goes over a connection

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type LaneOptions, Lanes } from '../../lib/database/pool/lanes.ts'
import type { Call } from '../../lib/database/wire/call.ts'
import { Wire, type WireOwner } from '../../lib/database/wire/wire.ts'
import { number } from './support.ts'

const { now } = performance
test.before(() => {
  const stopped = now.call(performance)
  performance.now = () => stopped
})
test.after(() => {
  performance.now = now
})

/** What lanes see of a wire. */
class StubWire {
  owner: WireOwner | null = null
  calls: Call[] = []

  submit(call: Call): boolean {
    call.sent = true
    this.calls.push(call)
    return true
  }
  async ping(): Promise<void> {}
  get inFlight(): number {
    return this.calls.length
  }
  get running(): Call['query'] {
    return this.calls[0]?.query ?? null
  }
  busyMs(): number {
    return 0
  }
  *behindFirst(): Generator<Call> {
    yield* this.calls.slice(1)
  }
}

// Lanes are made of wires only.
Object.setPrototypeOf(StubWire.prototype, Wire.prototype)

class Bed {
  readonly wires: StubWire[] = []
  readonly lanes: Lanes
  readonly query = { ...number('select 1').query, readOnly: true as const }

  constructor(max: number) {
    const options: LaneOptions = {
      max,
      waitMs: 0,
      pingMs: 1_000,
      wanted: () => 0,
      spare: () => this.wires.length < max,
      open: async () => {
        const wire = new StubWire()
        this.wires.push(wire)
        return { connection: wire as unknown as Wire, release() {} }
      },
      alone: () => Promise.reject(new Error('nobody is alone')),
      timedOut: () => new Error('nobody waits that long'),
      gaveUp() {},
    }
    this.lanes = new Lanes(options)
  }

  call(times: number): void {
    for (let call = 0; call < times; call++) void this.lanes.execute(this.query, undefined)
  }

  /** How many calls are on each lane, once those that were asked for are open. */
  async filled(): Promise<number[]> {
    await new Promise((done) => setImmediate(done))
    return this.wires.map((wire) => wire.calls.length)
  }

  /** Answers everything, round by round, each call after `ms` of the server's time. */
  async answer(ms: number): Promise<void> {
    while ((await this.filled()).some((calls) => calls > 0)) {
      for (const wire of this.wires) {
        const calls = wire.calls.splice(0)
        for (const call of calls) call.resolve(1)
        if (calls.length > 0) wire.owner?.settled(wire as unknown as Wire, calls, ms * calls.length)
      }
    }
  }

  /** Until nothing but this pace is remembered. */
  async learn(ms: number): Promise<void> {
    for (let times = 0; times < 100; times++) {
      this.call(1)
      await this.answer(ms)
    }
  }
}

async function withBed(max: number, run: (bed: Bed) => Promise<void>): Promise<void> {
  const bed = new Bed(max)
  await run(bed)
  await bed.answer(0)
  bed.lanes.drain()
}

const all = (calls: number): number[] => Array.from({ length: 10 }, () => calls)
const used = (lanes: readonly number[]): number => lanes.filter((calls) => calls > 0).length
const sum = (lanes: readonly number[]): number => lanes.reduce((total, calls) => total + calls, 0)

test('a statement of which nothing is known has a lane to itself, and the others wait', async () => {
  await withBed(10, async (bed) => {
    bed.call(40)
    assert.equal(await bed.filled(), all(1))
    assert.is(bed.lanes.waiting, 30)
  })
})

const paces: readonly [what: string, ms: number, check: (lanes: readonly number[], waiting: number) => void][] = [
  [
    'quick reads fill a few lanes instead of all, and more than one',
    1 / 64,
    (lanes, waiting) => {
      assert.ok(used(lanes) >= 2 && used(lanes) <= 4, `${used(lanes)} lanes`)
      assert.equal([sum(lanes), waiting], [40, 0])
    },
  ],
  [
    'reads that take longer share all lanes evenly',
    1 / 2,
    (lanes, waiting) => {
      assert.equal(lanes, all(4))
      assert.is(waiting, 0)
    },
  ],
  [
    'where that would be too long a wait, they wait for whichever lane is empty first',
    3 / 2,
    (lanes, waiting) => {
      assert.equal(lanes, all(3))
      assert.is(waiting, 10)
    },
  ],
  [
    'slow reads have lanes to themselves',
    2,
    (lanes, waiting) => {
      assert.equal(lanes, all(1))
      assert.is(waiting, 30)
    },
  ],
]

for (const [what, ms, check] of paces) {
  test(what, async () => {
    await withBed(10, async (bed) => {
      bed.call(40)
      await bed.answer(ms)
      await bed.learn(ms)
      for (let round = 0; round < 5; round++) {
        bed.call(40)
        check(await bed.filled(), bed.lanes.waiting)
        await bed.answer(ms)
      }
    })
  })
}

test('another lane is opened beside a full one, and nobody waits for it', async () => {
  await withBed(10, async (bed) => {
    await bed.learn(1 / 64)
    assert.is(bed.wires.length, 1)
    bed.call(8)
    assert.equal(await bed.filled(), [8, 0])
    await bed.answer(1 / 64)
    bed.call(8)
    assert.is(used(await bed.filled()), 2)
  })
})

test('a write has a lane to itself, however quick', async () => {
  await withBed(3, async (bed) => {
    const { readOnly: _, ...write } = number('select 2').query
    for (let times = 0; times < 20; times++) {
      void bed.lanes.execute(write, undefined)
      await bed.answer(1 / 64)
    }
    await bed.learn(1 / 64)
    void bed.lanes.execute(write, undefined)
    bed.call(5)
    const lanes = await bed.filled()
    assert.equal([lanes[0], sum(lanes)], [1, 6])
  })
})

test.run()

import floors from './floors.mjs'
import peers from './peers.mjs'
import service from './service.mjs'
import signIns from './sign-ins.mjs'

/** Whoever answers "who is this?". */
export const readers = [...floors, ...service, ...peers]

/** Whoever signs people in. */
export const signers = signIns

/** A subject by its id. */
export function subjectById(id) {
  const subject = [...readers, ...signers].find((one) => one.id === id)
  if (!subject) throw new Error(`There is no subject ${id}.`)
  return subject
}

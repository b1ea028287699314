import floors from './floors.mjs'
import guardedRoutes, { guardService } from './guarded.mjs'
import peers from './peers.mjs'
import service from './service.mjs'
import signIns from './sign-ins.mjs'

/** Subjects that resolve a session cookie. */
export const readers = [...floors, ...service, ...peers]

/** Subjects that sign users in. */
export const signers = signIns

/** Routes behind a guard, and the service that the guards ask. */
export const guarded = { routes: guardedRoutes, service: guardService }

/** A subject by its id. */
export function subjectById(id) {
  const subject = [...readers, ...signers, ...guardedRoutes].find((one) => one.id === id)
  if (!subject) throw new Error(`There is no subject ${id}.`)
  return subject
}

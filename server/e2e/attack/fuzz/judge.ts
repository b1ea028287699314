import assert from 'node:assert/strict'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'
import { type Answer, assertAnswerRules } from '../../../attack/exchange.js'
import type { OpenApiDocument, Operation } from './document.js'

/** Throws when the document does not declare a response for the operation. */
export type Judge = (operation: Operation, answer: Answer) => void

/** Provider and store were available, so that every 5xx is a fault. */
const isFault = (status: number): boolean => status >= 500 && status !== 501

/** Checks responses against the document: status, media type, schema, and the rules of every response. */
export function createJudge(document: OpenApiDocument, isHttps: boolean): Judge {
  const ajv = new Ajv2020({ strict: false, validateFormats: true })
  ajvFormats.default(ajv)
  ajv.addSchema(document, 'document')
  const compiled = new Map<string, ValidateFunction>()
  const validatorOf = (pointer: string): ValidateFunction => {
    const known = compiled.get(pointer)
    if (known) return known
    const validate = ajv.compile({ $ref: `document${pointer}` })
    compiled.set(pointer, validate)
    return validate
  }
  return (operation, answer) => {
    const { status, headers, text } = answer
    const where = `${operation.id} ${status}`
    assertAnswerRules(answer, where, isHttps)
    const declared = operation.answers.get(status)
    assert.ok(declared, `${where} is not declared: ${text}`)
    assert.ok(!isFault(status) || isNotInteractive(answer), `${where}: ${text}`)
    const type = headers['content-type']?.split(';', 1)[0]?.trim()
    if (declared.schemas.size === 0) {
      assert.equal(text, '', `${where} has a body that is not declared`)
      return
    }
    const pointer = declared.schemas.get(type ?? '')
    assert.ok(pointer !== undefined, `${where} is ${type}, which is not declared`)
    const body: unknown = type?.includes('json') ? answer.json() : text
    const validate = validatorOf(pointer)
    assert.ok(validate(body), `${where}: ${ajv.errorsText(validate.errors)} in ${text}`)
  }
}

/** A backend without a redirect flow answers 502, which is not a fault. */
function isNotInteractive({ status, text }: Answer): boolean {
  return status === 502 && /has no interactive/.test(text)
}

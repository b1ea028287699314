import { Readable } from 'node:stream'
import express from 'express'
import { describe, expect, it } from 'vitest'
import { formFields } from './body-consumed.js'

/** What the form parser of Express makes of a body. */
function parsedByExpress(body: string, extended: boolean): Promise<object> {
  const request = Object.assign(Readable.from([Buffer.from(body)]), {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': String(body.length),
    },
    body: {},
  })
  return new Promise((resolve, reject) => {
    express.urlencoded({ extended })(request as never, {} as never, (error?: unknown) =>
      error instanceof Error ? reject(error) : resolve(request.body),
    )
  })
}

describe('the fields of a parsed form', () => {
  it.each([
    ['email=a%40b.example&password=x+y', true],
    ['email=a%40b.example&password=x+y', false],
    ['scopes=openid&scopes=email', true],
    ['scopes=openid&scopes=email', false],
    ['user[name]=A&user[address][city]=B', true],
    ['user[name]=A&user[name]=B', true],
    ['empty=', false],
  ])('are those that were sent: %s, extended %s', async (body, extended) => {
    const fields = formFields(await parsedByExpress(body, extended))
    expect(new URLSearchParams(fields).toString()).toBe(new URLSearchParams(body).toString())
  })
})

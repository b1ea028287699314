-- CreateTable
CREATE TABLE "auth_audit_events" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "type" TEXT NOT NULL,
    "provider_id" TEXT,
    "subject_hash" TEXT,
    "session_id" TEXT,
    "reason" TEXT,

    CONSTRAINT "auth_audit_events_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "auth_audit_events_at_idx" ON "auth_audit_events"("at");

-- CreateIndex
CREATE INDEX "auth_audit_events_subject_hash_at_idx" ON "auth_audit_events"("subject_hash", "at");

-- A key is activated once, however many processes start with it.
CREATE UNIQUE INDEX "auth_audit_events_key_rotated" ON "auth_audit_events"("reason") WHERE "type" = 'key.rotated';

-- What happened stays: neither this service nor a careless statement changes it.
CREATE FUNCTION "auth_audit_events_refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'auth_audit_events is append-only' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER "auth_audit_events_append_only" BEFORE UPDATE OR DELETE ON "auth_audit_events"
    FOR EACH ROW EXECUTE FUNCTION "auth_audit_events_refuse_change"();

CREATE TRIGGER "auth_audit_events_no_truncate" BEFORE TRUNCATE ON "auth_audit_events"
    FOR EACH STATEMENT EXECUTE FUNCTION "auth_audit_events_refuse_change"();

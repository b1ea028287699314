-- One role may delete events, and only delete: not the service, nor the owner of the table. An operator
-- creates it; until then nobody can.
CREATE OR REPLACE FUNCTION "auth_audit_events_refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_user = 'netscript_audit_retention' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'auth_audit_events is append-only' USING ERRCODE = 'restrict_violation';
END $$;

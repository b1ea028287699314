-- AlterTable
ALTER TABLE "auth_sessions" ADD COLUMN     "audit_subject" TEXT;

-- AlterTable
ALTER TABLE "auth_users" ADD COLUMN     "roles" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[];

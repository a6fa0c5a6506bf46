import { diagnose } from "../../app/commands/doctor.ts";
import { dataCommand } from "./data-command.ts";

export const doctorCommand = dataCommand(
  {
    words: "doctor",
    about: "Reads the whole database and says what is damaged. The server may run. Ends with 1 if something is wrong.",
    switches: {},
    onPostgres: "PostgreSQL checks itself with pg_amcheck",
  },
  async ({ config }) => {
    const { passed, problems } = await diagnose(config);
    if (problems.length > 0) process.exitCode = 1;
    return [...passed, ...problems, ""].join("\n");
  },
);

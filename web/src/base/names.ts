/** The dashboard's rule for the names of channels, as the server has it. */
export { channelNameProblem, tidyChannelName } from "../../../src/api-contract/input/channel-name.ts";

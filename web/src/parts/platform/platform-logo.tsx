import { Icon } from "../basic/icon.tsx";
import { platformName } from "./presets.ts";

/** How many colours there are in the style sheet. */
const COLOURS = 6;

type LogoOptions = { readonly targetName: string };

/** A platform's first letter in a colour of ours: no platform's own sign is copied. A server of one's own has a drawing. */
export function PlatformLogo({ targetName }: LogoOptions) {
  const colour = [...targetName].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9_973, 7) % COLOURS;
  return (
    <span class={`platform-logo colour-${colour}`} aria-hidden="true">
      {targetName === "CUSTOM" ? <Icon name="server" /> : platformName({ targetName }).slice(0, 1)}
    </span>
  );
}

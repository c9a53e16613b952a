/** Light, dark, or as the system has it. */
import DarkModeOutlined from '@mui/icons-material/DarkModeOutlined';
import LightModeOutlined from '@mui/icons-material/LightModeOutlined';
import SettingsBrightness from '@mui/icons-material/SettingsBrightness';
import IconButton from '@mui/material/IconButton';
import ListItemIcon from '@mui/material/ListItemIcon';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import { useColorScheme } from '@mui/material/styles';
import Tooltip from '@mui/material/Tooltip';
import { useState } from 'react';
import type { Act } from './acts.ts';

const MODES = [
  { mode: 'light', label: 'Light', icon: LightModeOutlined },
  { mode: 'dark', label: 'Dark', icon: DarkModeOutlined },
  { mode: 'system', label: 'As the system', icon: SettingsBrightness },
] as const;

/** The three choices as acts, for the palette. */
export function useSchemeActs(): Act[] {
  const { setMode } = useColorScheme();
  return MODES.map(({ mode, label }) => ({
    id: `scheme-${mode}`,
    title: `Colours: ${label.toLowerCase()}`,
    section: 'Look',
    run: () => setMode(mode),
  }));
}

export function SchemeSwitch() {
  const { mode, setMode } = useColorScheme();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const current = MODES.find((one) => one.mode === mode) ?? MODES[2];
  const Icon = current.icon;
  return (
    <>
      <Tooltip title={`Colours: ${current.label.toLowerCase()}`}>
        <IconButton
          aria-label={`Colours: ${current.label.toLowerCase()}`}
          aria-haspopup="menu"
          onClick={(event) => setAnchor(event.currentTarget)}
        >
          <Icon fontSize="small" />
        </IconButton>
      </Tooltip>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        {MODES.map(({ mode: one, label, icon: OneIcon }) => (
          <MenuItem
            key={one}
            selected={one === mode}
            onClick={() => {
              setMode(one);
              setAnchor(null);
            }}
          >
            <ListItemIcon>
              <OneIcon fontSize="small" />
            </ListItemIcon>
            {label}
          </MenuItem>
        ))}
      </Menu>
    </>
  );
}

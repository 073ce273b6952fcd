// What the settings of this case name.

export type IsoDate = string & { readonly isoDate: true }

export interface Settings {
  theme: 'light' | 'dark'
}

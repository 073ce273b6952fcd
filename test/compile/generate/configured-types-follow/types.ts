// What the settings of this case name.

export type UserId = number & { readonly userId: true }

export interface Settings {
  theme: 'light' | 'dark'
}

export type Born = string & { readonly born: true }

import type { paths } from "../../../src/client/api-types.ts";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** The texts that a path of the document stands for: any text in the place of each `{name}`. */
type Filled<Path extends string> = Path extends `${infer Start}{${string}}${infer End}`
  ? `${Start}${string}${Filled<End>}`
  : Path;
type WithoutQuery<Given extends string> = Given extends `${infer Path}?${string}` ? Path : Given;

/** The document's path that has exactly these texts; never where there is none. */
type PathOf<Given extends string> = Given extends string
  ? {
      [Path in keyof paths]: [Given] extends [Filled<Path>] ? ([Filled<Path>] extends [Given] ? Path : never) : never;
    }[keyof paths]
  : never;

/** The operation of the OpenAPI document that a method and an address are; undefined where it has none. */
type OperationOf<M extends Method, Address extends string> =
  PathOf<WithoutQuery<Address>> extends infer Path
    ? [Path] extends [keyof paths]
      ? [Path] extends [never]
        ? undefined
        : paths[Path][Lowercase<M>]
      : undefined
    : undefined;

/** An address below `/api/v2` that the method has in the OpenAPI document. */
export type AddressOf<M extends Method, Address extends string> =
  OperationOf<M, Address> extends { readonly responses: object } ? Address : never;

type AnswerOf<M extends Method, Address extends string> =
  OperationOf<M, Address> extends {
    readonly responses: { readonly 200: { readonly content: { readonly "application/json": infer Answer } } };
  }
    ? Answer
    : never;

/** The `content` of the answer. */
export type ContentOf<M extends Method, Address extends string> =
  AnswerOf<M, Address> extends { readonly content: infer Content } ? Content : undefined;

/** What one page of a list consists of. */
export type ItemOf<Address extends string> = ContentOf<"GET", Address> extends readonly (infer Item)[] ? Item : never;

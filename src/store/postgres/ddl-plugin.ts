import {
  type ColumnDefinitionNode,
  DataTypeNode,
  GeneratedNode,
  type KyselyPlugin,
  OperationNodeTransformer,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type QueryId,
  RawNode,
  type ValueNode,
} from "kysely";

/** By bytes, as SQLite compares: order and case do not depend on the locale that a server was set up with. */
const TEXT = RawNode.createWithSql('text collate "C"');

/** A code point that is no character. */
const NOT_STORED = "\uffff";

/**
 * Makes the tables of the migrations, which are written once for both databases, on PostgreSQL: text is compared by its
 * bytes, and a number that counts by itself is an identity. Text that is searched for may hold NUL, which no stored text
 * has and PostgreSQL refuses: another code point stands for it.
 */
export class PostgresDdlPlugin implements KyselyPlugin {
  readonly #transformer = new DdlTransformer();

  transformQuery({ node, queryId }: PluginTransformQueryArgs) {
    return this.#transformer.transformNode(node, queryId);
  }

  async transformResult({ result }: PluginTransformResultArgs) {
    return result;
  }
}

class DdlTransformer extends OperationNodeTransformer {
  protected override transformValue(node: ValueNode, queryId?: QueryId): ValueNode {
    const { value, ...rest } = super.transformValue(node, queryId);
    return { ...rest, value: typeof value === "string" ? value.replaceAll("\0", NOT_STORED) : value };
  }

  protected override transformColumnDefinition(node: ColumnDefinitionNode, queryId?: QueryId): ColumnDefinitionNode {
    const { autoIncrement, ...column } = super.transformColumnDefinition(node, queryId);
    const { dataType } = column;
    if (DataTypeNode.is(dataType) && dataType.dataType === "text") return { ...column, dataType: TEXT };
    if (autoIncrement !== true) return column;
    return { ...column, generated: GeneratedNode.create({ identity: true, byDefault: true }) };
  }
}

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
} from "kysely";

/** By bytes, as SQLite compares: order and case do not depend on the locale that a server was set up with. */
const TEXT = RawNode.createWithSql('text collate "C"');

/**
 * Makes the tables of the migrations, which are written once for both databases, on PostgreSQL: text is compared by its
 * bytes, and a number that counts by itself is an identity.
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
  protected override transformColumnDefinition(node: ColumnDefinitionNode, queryId?: QueryId): ColumnDefinitionNode {
    const { autoIncrement, ...column } = super.transformColumnDefinition(node, queryId);
    const { dataType } = column;
    if (DataTypeNode.is(dataType) && dataType.dataType === "text") return { ...column, dataType: TEXT };
    if (autoIncrement !== true) return column;
    return { ...column, generated: GeneratedNode.create({ identity: true, byDefault: true }) };
  }
}

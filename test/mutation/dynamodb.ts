// What the store imports of the SDK, for the table in memory, which asks no more of a command than its name and input: to load the SDK
// for each mutant takes longer than to try it.
class Command {
  readonly input: object;

  constructor(input: object) {
    this.input = input;
  }
}

export class BatchGetCommand extends Command {}
export class BatchWriteCommand extends Command {}
export class CreateTableCommand extends Command {}
export class DeleteCommand extends Command {}
export class GetCommand extends Command {}
export class PutCommand extends Command {}
export class PutItemCommand extends Command {}
export class QueryCommand extends Command {}
export class TransactWriteCommand extends Command {}
export class UpdateCommand extends Command {}
export class DynamoDBClient {}
export class DynamoDBDocumentClient {}
export class ResourceInUseException extends Error {}

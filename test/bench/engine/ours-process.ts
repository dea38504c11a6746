// The process behind auditMany: our side of the comparison, and nothing else.
import { auditAll, type ManyTask } from './audits.ts';
import { answerMessages } from './child.ts';

answerMessages((task: ManyTask) => auditAll(task));

// The process behind auditMany: our side of the comparison, and nothing else.
import { answerMessages } from './child.ts';
import { auditAll, type ManyTask } from './ours.ts';

answerMessages((task: ManyTask) => auditAll(task));

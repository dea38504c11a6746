// The SES endpoint in a process of its own, for tests that kill the service and not its endpoint: `node ses-process.ts FOLDER`
// prints where it answers. The service uses it by SES_ENDPOINT.
import { startSes } from '../../infra/local/engines/ses.ts';

const [, , folder = ''] = process.argv;
const { endpoint } = await startSes(folder, 0);
console.log(`SES answers at ${endpoint}`);

// Package queue is SQS: standard and FIFO queues by name, on the engine of package
// message.
//
// A queue is a record with its attributes as they were set, its tags and the id of its
// messages' queue in the engine, which is told what the attributes mean for it. A
// message's text, attributes and sender are one body there.
//
//	RedrivePolicy   the engine moves a message to the other queue when it would be
//	                received once more than maxReceiveCount
//	StartMessageMoveTask   a record, worked on by one node at a time under a lease (Run)
//
// api_access.go says what each operation asks of its caller; ResourcePolicy gives a
// queue's policy to whoever evaluates it. Other rooms find a queue by its ARN, send to
// it (in their own transaction too), receive and delete (inner.go).
//
// What differs from AWS: a name may be used again as soon as its queue is deleted.
// KMS and SSE attributes are kept and echoed, and encrypt nothing. Changes of
// attributes count at once, for messages that are delayed already not, of FIFO queues
// too. Throughput is not limited by FifoThroughputLimit. GetQueueUrl knows the queues
// of its own account only. A receipt that another receive has replaced deletes nothing
// and is no error, as AWS says it may be.
//
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/
package queue
